import { FleetError, ROLE_DEFAULTS } from '@metrica-fleet/protocol';
import { basename, dirname, join } from 'node:path/posix';
import type { Disk } from '../../ports/disk.ts';
import { copyTree } from './content-mounts.ts';
import type { StateDeclaration } from './host-path.ts';

/** A place under `/var/lib/role-agent/state/<role>` that a stack mounts. */
export interface StateMount {
  /** What is mounted: the declared path or something below it. */
  readonly target: string;
  /** Where the declared path itself is kept. */
  readonly root: string;
  readonly state: StateDeclaration;
  /** What it begins with, in the release; null for an empty folder. */
  readonly seed: string | null;
}

/**
 * Makes state that is not there yet: from its seed or empty, with owner and mode, complete before it gets its name. What
 * is there is the role's own and is never touched, whoever it belongs to by now.
 */
export async function makeStates(disk: Disk, mounts: readonly StateMount[]): Promise<void> {
  for (const mount of mounts) {
    if ((await disk.stat(mount.root)) === null) await makeRoot(disk, mount);
    if ((await disk.stat(mount.target)) === null) await makeInner(disk, mount);
  }
}

async function makeRoot(disk: Disk, { root, state, seed }: StateMount): Promise<void> {
  const temporary = join(dirname(root), `.${basename(root)}.tmp`);
  await disk.remove('state.discard', temporary);
  if (seed === null) {
    await disk.makeFolder('state.folder', temporary);
  } else {
    if ((await disk.stat(seed)) === null) throw noSeed(state);
    await copyTree(disk, { from: seed, to: temporary });
  }
  await own(disk, temporary, state);
  await disk.chmod('state.mode', temporary, modeOf(state));
  await disk.sync('state.sync', temporary);
  await disk.rename('state.complete', temporary, root);
}

/** A folder below the declared path: its parents in between are made like it. */
async function makeInner(disk: Disk, { root, target, state }: StateMount): Promise<void> {
  let here = root;
  for (const part of target.slice(root.length + 1).split('/')) {
    here = join(here, part);
    if ((await disk.stat(here)) !== null) continue;
    await disk.makeFolder('state.inner', here, modeOf(state));
    if (state.owner !== undefined) await disk.chown('state.inner-owner', here, state.owner);
  }
}

async function own(disk: Disk, path: string, state: StateDeclaration): Promise<void> {
  if (state.owner === undefined) return;
  await disk.chown('state.owner', path, state.owner);
  for (const name of (await disk.list(path)) ?? []) await own(disk, join(path, name), state);
}

function modeOf({ mode }: StateDeclaration): number {
  return Number.parseInt(mode ?? ROLE_DEFAULTS.stateMode, 8);
}

function noSeed({ path, seed }: StateDeclaration): FleetError {
  return new FleetError({
    code: 'role-invalid',
    what: `The state ${path} begins with ${seed}, which the role does not have`,
    where: 'role.yaml',
    remedy: 'Add it to the role, or leave out `seed:` to begin with an empty folder.',
  });
}
