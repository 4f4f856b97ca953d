import { digestOfJson, FleetError, type Digest } from '@metrica-fleet/protocol';
import type { ServiceExpectation } from '../../decide/journal.ts';
import type { ComposeModel, ComposeMount, ComposeService } from '../../ports/engine.ts';
import { boundTo } from './bonds.ts';
import { hostPathOf, isWithin, type Setting } from './host-path.ts';
import { fileOf, section, variableKey, type FileObject, type Located } from './host-sources.ts';
import { oneShotsOf } from './one-shots.ts';

/** Labels by which the agent knows its containers again. */
const ROLE_LABEL = 'io.metrica-fleet.role';
const INPUTS_LABEL = 'io.metrica-fleet.inputs';

/** Docker's default `json-file` grows without end and fills the card. */
const LOGGING = { driver: 'local', options: { 'max-size': '10m', 'max-file': '3' } } as const;

type Services = Readonly<Record<string, ServiceExpectation>>;

export interface Transformed {
  readonly model: ComposeModel;
  readonly services: Services;
}

/** Throws `compose-invalid` for what a role may not have, see "What restarts" in the design. */
export function refuseUnsupported(model: ComposeModel, { folder }: Setting): void {
  for (const [name, service] of Object.entries(model.services)) {
    if (service['build'] === undefined && service.image !== undefined) continue;
    throw refused(
      `The service ${name} is built on the device`,
      'Build the image elsewhere, push it to a registry, and name it with `image:`.',
    );
  }
  for (const [name, volume] of Object.entries(section<VolumeDefinition | null>(model, 'volumes'))) {
    const device = volume?.driver_opts?.['device'];
    if (device === undefined || !isWithin(device, folder)) continue;
    throw refused(
      `The volume ${name} keeps its data in ${device}, which the next release would replace`,
      'Mount the folder in the service itself, and declare it under `state:` in role.yaml.',
    );
  }
}

/**
 * Makes of what Compose resolved what the device runs: mounts of the release through content-addressed copies, state
 * in its lasting place, bounded logs, and on each service a label with the digest of all its inputs. `pinned` are
 * digests that a deployment has been given before; they stay, so that a newer Compose that prints the same stack
 * differently restarts nothing.
 */
export function transformStack(
  model: ComposeModel,
  setting: Setting,
  { located, pinned = {} }: { readonly located: Located; readonly pinned?: Services },
): Transformed {
  const moved = moveModel(model, setting, located);
  const oneShots = oneShotsOf(moved, setting.role.one_shots);
  const inputs = inputsOf(moved, located);
  const services: Record<string, ServiceExpectation> = {};
  const labelled: Record<string, ComposeService> = {};
  for (const [name, service] of Object.entries(moved.services)) {
    const digest = pinned[name]?.inputs ?? inputs(name);
    const labels = { ...service.labels, [ROLE_LABEL]: setting.role.name, [INPUTS_LABEL]: digest };
    labelled[name] = { ...service, labels };
    if (!isScaledToNothing(service)) services[name] = { inputs: digest, oneShot: oneShots.has(name) };
  }
  return { model: { ...moved, services: labelled }, services };
}

interface VolumeDefinition {
  readonly driver_opts?: Readonly<Record<string, string>>;
}

function moveModel(model: ComposeModel, setting: Setting, located: Located): ComposeModel {
  const services = mapValues(model.services, (service, name) => ({
    ...service,
    logging: service['logging'] ?? LOGGING,
    ...(service.volumes === undefined
      ? {}
      : {
          volumes: service.volumes.map((mount) => moveMount(mount, `service ${name}`, { setting, located })),
        }),
  }));
  const moveFile = (object: FileObject, user: string): FileObject => {
    const { file, environment, ...rest } = object;
    if (file !== undefined) {
      const at = fileOf(file, user, setting);
      return { ...rest, file: located.get(at.path)?.target ?? file };
    }
    const target = environment === undefined ? undefined : located.get(variableKey(environment))?.target;
    return target === undefined ? object : { ...rest, file: target };
  };
  const moveFiles = (kind: 'configs' | 'secrets'): object =>
    model[kind] === undefined
      ? {}
      : {
          [kind]: mapValues(section<FileObject>(model, kind), (object, name) =>
            moveFile(object, `${kind.slice(0, -1)} ${name}`),
          ),
        };
  return { ...model, services, ...moveFiles('configs'), ...moveFiles('secrets') };
}

/** `create_host_path` is off for what the agent provides: where it is missing, an error beats an empty folder. */
function moveMount(
  mount: ComposeMount,
  user: string,
  { setting, located }: { setting: Setting; located: Located },
): ComposeMount {
  const { type, source, read_only: readOnly } = mount;
  if (type !== 'bind' || source === undefined) return mount;
  const at = hostPathOf({ source, writable: readOnly !== true, user }, setting);
  if (at.kind === 'outside') return mount;
  const target = at.kind === 'state' ? at.target : (located.get(at.path)?.target ?? source);
  return {
    ...mount,
    source: target,
    bind: { ...(mount['bind'] as object | undefined), create_host_path: false },
  };
}

/** The digest of all that goes into a service: its definition, what it refers to, and those to which it is bound. */
function inputsOf(model: ComposeModel, located: Located): (service: string) => Digest {
  const digestByTarget = new Map([...located.values()].map(({ digest, target }) => [target, digest]));
  const known = new Map<string, Digest>();
  const inputs = (name: string): Digest => {
    const service = model.services[name];
    if (service === undefined) return '';
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, name);
    const files = [...refersTo(model, 'configs', service), ...refersTo(model, 'secrets', service)];
    const digest = digestOfJson({
      service,
      files: files.map(([key, object]) => [key, object, digestByTarget.get(object?.file ?? '') ?? null]),
      networks: refersTo(model, 'networks', service),
      volumes: refersTo(model, 'volumes', service),
      boundTo: boundTo(service).map((other) => [other, inputs(other)]),
    });
    known.set(name, digest);
    return digest;
  };
  return inputs;
}

/** The entries of a section that a service names, in its long syntax (a list with `source`, or a map). */
function refersTo(
  model: ComposeModel,
  kind: string,
  service: ComposeService,
): readonly (readonly [string, { readonly file?: string } | null])[] {
  const used = service[kind];
  const names = Array.isArray(used)
    ? (used as readonly { readonly source?: string }[]).flatMap(({ source }) =>
        source === undefined ? [] : [source],
      )
    : Object.keys(used ?? {});
  const definitions = section<{ readonly file?: string }>(model, kind);
  return names.filter((name) => name in definitions).map((name) => [name, definitions[name] ?? null]);
}

/** A service with no replicas has no container to expect. */
export function isScaledToNothing({ scale, deploy }: ComposeService): boolean {
  return scale === 0 || (deploy as { replicas?: number } | undefined)?.replicas === 0;
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

function refused(what: string, remedy: string): FleetError {
  return new FleetError({ code: 'compose-invalid', what, where: 'compose.yaml', remedy });
}
