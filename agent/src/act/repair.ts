import { FleetError } from '@metrica-fleet/protocol';
import { join } from 'node:path/posix';
import type { Effect, Event, Fault } from '../decide/vocabulary.ts';
import type { Context } from './context.ts';
import { pointAt } from './links.ts';
import { withBound } from './stack/bonds.ts';
import { prepareDeployment } from './stack/prepare.ts';
import { startServices } from './stack/start.ts';

/** Puts right what idle found: the symlink, services that are not there or not as they should be, services that are ill. */
export async function repair(
  { deployment, faults }: Extract<Effect, { kind: 'repair' }>,
  context: Context,
): Promise<Event> {
  const { ports, paths } = context;
  if (faults.some(({ kind }) => kind === 'engine-down')) {
    ports.log.warning('The engine is restarted', { faults });
    await ports.engine.restartEngine('repair.engine');
    await ports.engine.check();
    return { type: 'repaired', detail: describeFaults(faults) };
  }
  const { role, digest } = deployment.release;
  const folder = join(paths.releases, digest);
  if ((await ports.disk.stat(folder))?.kind !== 'folder') throw releaseGone(folder);
  if (faults.some(({ kind }) => kind === 'dangling-link')) {
    await pointAt(context, { label: 'repair.link', link: paths.current, deployment });
  }
  const absent = subjects(faults, ['stopped', 'missing', 'outdated']);
  if (absent.length > 0) {
    const { model } = await prepareDeployment(context, deployment);
    const services = withBound(model, absent).filter((name) => model.services[name] !== undefined);
    ports.log.notice('Starting services that do not run', { services, faults });
    await startServices(context, { label: 'repair.up', model, services });
  }
  const ill = subjects(faults, ['unhealthy']);
  if (ill.length > 0) {
    ports.log.notice('Restarting services that are not well', { services: ill, faults });
    await ports.engine.restart('repair.restart', role, ill);
  }
  return { type: 'repaired', detail: describeFaults(faults) };
}

function describeFaults(faults: readonly Fault[]): string {
  return faults.map(({ subject, detail }) => `${subject} ${detail}`).join('; ');
}

function subjects(faults: readonly Fault[], kinds: readonly Fault['kind'][]): readonly string[] {
  return faults.filter(({ kind }) => kinds.includes(kind)).map(({ subject }) => subject);
}

function releaseGone(folder: string): FleetError {
  return new FleetError({
    code: 'disk-failed',
    what: 'The release that runs is gone from the disk',
    where: folder,
    remedy:
      'Look at `dmesg`: the card may be failing. The next release brings it back, or a source that answers.',
  });
}
