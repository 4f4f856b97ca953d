import { FleetError, ROLE_DEFAULTS, stateFor, type Role } from '@metrica-fleet/protocol';
import { join, normalize, relative } from 'node:path/posix';
import type { Paths } from '../../paths.ts';

/** Where a stack is prepared: which role, from which release folder, on which device. */
export interface Setting {
  readonly role: Role;
  /** The release folder that Compose resolved relative paths against. */
  readonly folder: string;
  readonly paths: Paths;
}

/** A path of the host that a stack mounts. */
export interface MountedPath {
  readonly source: string;
  readonly writable: boolean;
  /** Who mounts it: `service web`, `secret token`. */
  readonly user: string;
}

export type StateDeclaration = NonNullable<Role['state']>[number];

/** Where a mounted path leads: into the release, into declared state, or to a place of the host that is not ours. */
export type HostPath =
  | { readonly kind: 'content'; readonly path: string }
  | {
      readonly kind: 'state';
      readonly target: string;
      readonly path: string;
      readonly state: StateDeclaration;
    }
  | { readonly kind: 'outside'; readonly path: string };

/** Decides what a mounted path means; throws `compose-invalid` for what would lose data or serve old files. */
export function hostPathOf(
  { source, writable, user }: MountedPath,
  { role, folder, paths }: Setting,
): HostPath {
  const path = normalize(source).replace(/(?<=.)\/$/, '');
  if (!isWithin(path, normalize(folder))) {
    const own = [paths.current, paths.previous, paths.next, paths.releases, paths.mounts];
    if (own.some((place) => isWithin(path, place))) throw throughOurs(path, user);
    return { kind: 'outside', path };
  }
  const inner = relative(folder, path);
  const state = stateFor(role, inner);
  if (state !== undefined) {
    return { kind: 'state', target: join(paths.state, role.name, inner), path: inner, state };
  }
  if (writable) throw undeclared(inner, user);
  return { kind: 'content', path };
}

/** True for a folder itself and for everything below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function undeclared(path: string, user: string): FleetError {
  const shown = path === '' ? '.' : path;
  const declare = `state: [{path: ${shown}, owner: 0, mode: "${ROLE_DEFAULTS.stateMode}"}]`;
  return new FleetError({
    code: 'compose-invalid',
    what: `The ${user} may write to ./${path}, which the next release would replace`,
    where: 'compose.yaml',
    remedy:
      path === ''
        ? 'Mount it read-only (`:ro`), or mount a folder of its own and declare that under `state:` in role.yaml.'
        : `Mount it read-only (\`:ro\`), or keep it across releases with \`${declare}\` in role.yaml.`,
  });
}

function throughOurs(path: string, user: string): FleetError {
  return new FleetError({
    code: 'compose-invalid',
    what: `The ${user} mounts ${path}, which belongs to the agent and changes under it`,
    where: 'compose.yaml',
    remedy: 'Write the path relative to compose.yaml, as in `./page:/www:ro`.',
  });
}
