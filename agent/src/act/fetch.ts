import { contentDigest, FleetError, ROLE_DEFAULTS, seconds } from '@metrica-fleet/protocol';
import type { Effect, Event } from '../decide/vocabulary.ts';
import { windowOf } from '../decide/window.ts';
import { manifestOfFolder } from '../sources/folder-manifest.ts';
import type { Desired, Source } from '../sources/source.ts';
import type { Context } from './context.ts';
import { incomingFolder, keepRelease, refuseOwnName } from './release-store.ts';
import { prepareStack } from './stack/prepare.ts';
import { validateRelease } from './validate.ts';
import { vouchedFor } from './verify-release.ts';

/**
 * Brings what is wanted into the release store: fetched, compared with what was promised, vouched for, durable, valid
 * on this device, its stack resolved. Nothing that runs is touched. Can be repeated; what is here already is reused.
 */
export async function fetchRelease(
  { wanted, key, floor }: Extract<Effect, { kind: 'fetch' }>,
  context: Context,
): Promise<Event> {
  const { ports, paths } = context;
  const source = sourceOf(context, wanted);
  // A device without Docker or Compose v2 is told so before anything is fetched for it.
  await ports.engine.check();
  const store = { disk: ports.disk, paths };

  const incoming = await incomingFolder(store, key);
  const { statement } = await source.fetch(wanted, incoming);
  await refuseOwnName(ports.disk, incoming, wanted.role);
  const manifest = await manifestOfFolder(ports.disk, incoming, wanted.role);
  const release = { role: wanted.role, commit: wanted.commit, digest: contentDigest(manifest) };
  requirePromised(wanted, release.digest);
  const counter = await vouchedFor(context, {
    release,
    promised: wanted.digest !== null,
    source,
    statement,
    floor,
  });
  const folder = await keepRelease(store, { incoming, manifest, release });

  const { role, variables } = await validateRelease(context, { folder, release, layers: wanted.layers });
  const { services, images } = await prepareStack(context, { folder, role, variables });
  const interval = seconds(role.update_interval ?? ROLE_DEFAULTS.updateInterval);
  const signals = role.signals ?? ROLE_DEFAULTS.signals;
  const heartbeat = seconds(role.heartbeat ?? ROLE_DEFAULTS.heartbeat);
  const window = windowOf(role, ports.clock.zone());
  const deployment = { key, release, variables, services, images, interval, signals, heartbeat };
  return {
    type: 'fetched',
    deployment: window === null ? deployment : { ...deployment, window },
    counter,
  };
}

/** The configuration may have changed since a source said what is wanted; then the next run asks anew. */
function sourceOf({ sources }: Context, wanted: Desired): Source {
  const source = sources.find(({ name }) => name === wanted.source);
  if (source !== undefined) return source;
  throw new FleetError({
    code: 'source-unreachable',
    what: 'The source that named this release is not configured any more',
    where: wanted.source,
    remedy: 'One of the sources in config.yaml has to answer.',
  });
}

function requirePromised(wanted: Desired, digest: string): void {
  if (wanted.digest === null || wanted.digest === digest) return;
  throw new FleetError({
    code: 'manifest-mismatch',
    what: `The content has digest ${digest}, promised was ${wanted.digest}`,
    where: wanted.source,
    remedy: 'The source is damaged or was tampered with; export or publish the release again.',
  });
}
