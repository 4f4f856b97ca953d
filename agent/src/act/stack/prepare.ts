import { digestOf, FleetError, type Role, type Variables } from '@metrica-fleet/protocol';
import { join } from 'node:path/posix';
import type { Deployment, ServiceExpectation } from '../../decide/journal.ts';
import type { Paths } from '../../paths.ts';
import type { Disk } from '../../ports/disk.ts';
import type { ComposeModel } from '../../ports/engine.ts';
import type { Ports } from '../../ports/ports.ts';
import { contentOf, followLinks } from './content.ts';
import { makeCopies, textCopy, type Copy } from './content-mounts.ts';
import { hostPathOf, type Setting } from './host-path.ts';
import { bindMountsOf, hostSourcesOf, type HostSource, type Located } from './host-sources.ts';
import { readRole } from './role-file.ts';
import { makeStates, type StateMount } from './state-folders.ts';
import { isScaledToNothing, refuseUnsupported, transformStack } from './transform.ts';

export interface StackRequest {
  /** The release folder. */
  readonly folder: string;
  readonly role: Role;
  readonly variables: Variables;
  /** Digests that the services of a deployment have been given before; they are kept. */
  readonly pinned?: Readonly<Record<string, ServiceExpectation>>;
}

/** What a role comes to on this device, before anything of it has been written. */
export interface StackPlan {
  readonly role: Role;
  /** What Compose is given. */
  readonly model: ComposeModel;
  readonly services: Readonly<Record<string, ServiceExpectation>>;
  /** References of the images that the services need, sorted. */
  readonly images: readonly string[];
  readonly copies: readonly Copy[];
  readonly states: readonly StateMount[];
}

type Tools = { readonly ports: Pick<Ports, 'disk' | 'engine'>; readonly paths: Paths };

/** Resolves a role's stack for this device; reads the release and writes nothing. Throws `compose-invalid` and the like. */
export async function planStack({ ports, paths }: Tools, request: StackRequest): Promise<StackPlan> {
  const { folder, role, variables, pinned } = request;
  const resolved = await ports.engine.resolve(role.name, folder, variables);
  const setting: Setting = { role, folder, paths };
  refuseUnsupported(resolved, setting);
  const { located, copies } = await locate(ports.disk, setting, hostSourcesOf(resolved, setting, variables));
  const options = pinned === undefined ? { located } : { located, pinned };
  const { model, services } = transformStack(resolved, setting, options);
  const needed = Object.values(model.services).filter((service) => !isScaledToNothing(service));
  const images = [...new Set(needed.flatMap(({ image }) => (image === undefined ? [] : [image])))].sort();
  return { role, model, services, images, copies, states: statesOf(resolved, setting) };
}

/** Plans a stack and makes what it mounts: content-addressed copies and state. Repeatable; nothing that runs is touched. */
export async function prepareStack(tools: Tools, request: StackRequest): Promise<StackPlan> {
  const plan = await planStack(tools, request);
  await makeCopies(tools.ports.disk, plan.copies);
  await makeStates(tools.ports.disk, plan.states);
  return plan;
}

/** Prepares what a deployment runs, from its stored release. */
export async function prepareDeployment(tools: Tools, deployment: Deployment): Promise<StackPlan> {
  return prepareStack(tools, await requestOf(tools, deployment));
}

/** What to plan for a deployment whose release is in the store. */
export async function requestOf({ ports, paths }: Tools, deployment: Deployment): Promise<StackRequest> {
  const folder = join(paths.releases, deployment.release.digest);
  const role = await readRole(ports.disk, folder);
  return { folder, role, variables: deployment.variables, pinned: deployment.services };
}

/** Finds the content of every source. Nothing is copied yet: where a copy will be follows from what is in it. */
async function locate(
  disk: Disk,
  setting: Setting,
  sources: readonly HostSource[],
): Promise<{ located: Located; copies: readonly Copy[] }> {
  const located = new Map<string, { digest: string; target: string }>();
  const copies = new Map<string, Copy>();
  for (const source of sources) {
    if (source.kind === 'outside') {
      const bytes = await disk.read(source.path);
      if (bytes === null) throw notOnDevice(source.path, source.user);
      located.set(source.key, { digest: digestOf(bytes), target: source.path });
      continue;
    }
    const copy =
      source.kind === 'text'
        ? textCopy(setting.paths.mounts, source.name, source.text)
        : await contentCopy(disk, setting, source);
    copies.set(copy.target, copy);
    located.set(source.key, { digest: copy.digest, target: copy.target });
  }
  return { located, copies: [...copies.values()] };
}

async function contentCopy(
  disk: Disk,
  { folder, paths }: Setting,
  { path, user }: { readonly path: string; readonly user: string },
): Promise<Copy> {
  const real = await followLinks(disk, path, folder);
  const content = await contentOf(disk, real);
  if (content === null) throw missing(path.slice(folder.length + 1), user);
  return {
    digest: content.digest,
    target: join(paths.mounts, content.digest, content.name),
    from: { path: real },
  };
}

function statesOf(model: ComposeModel, setting: Setting): readonly StateMount[] {
  const { role, folder, paths } = setting;
  const mounts = bindMountsOf(model).flatMap((mount): StateMount[] => {
    const at = hostPathOf(mount, setting);
    if (at.kind !== 'state') return [];
    const { target, state } = at;
    const root = join(paths.state, role.name, state.path);
    return [{ target, root, state, seed: state.seed === undefined ? null : join(folder, state.seed) }];
  });
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
}

function missing(path: string, user: string): FleetError {
  return new FleetError({
    code: 'compose-invalid',
    what: `The ${user} needs ./${path}, which the role does not have`,
    where: 'compose.yaml',
    remedy: 'Add it to the role (is it in .gitignore?), or correct the path.',
  });
}

function notOnDevice(path: string, user: string): FleetError {
  return new FleetError({
    code: 'role-unsuitable',
    what: `The ${user} needs ${path}, which is not on this device`,
    where: 'compose.yaml',
    remedy: 'Put the file there, or ship it with the role.',
  });
}
