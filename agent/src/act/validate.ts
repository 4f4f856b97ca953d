import {
  FleetError,
  resolveVariables,
  type Release,
  type Role,
  type VariableLayer,
  type Variables,
} from '@metrica-fleet/protocol';
import { describeFinding, lintRole } from '@metrica-fleet/protocol/lint';
import { join } from 'node:path';
import { METADATA_FOLDER } from '../observe/release.ts';
import type { Disk } from '../ports/disk.ts';
import type { Context } from './context.ts';
import { readRole } from './stack/role-file.ts';
import { requireSuitable } from './suitable.ts';
import { runValidateScript } from './validate-script.ts';

export interface Staged {
  /** The release in the store. */
  readonly folder: string;
  readonly release: Release;
  readonly layers: readonly VariableLayer[];
}

type RoleFiles = Parameters<typeof lintRole>[0]['files'];

/** Larger files are no YAML, no env file and no script; the lint needs their names, not their content. Bytes. */
const LINT_FILE_LIMIT = 1024 * 1024;

/**
 * Says whether a release can run on this device, before anything is pulled or stopped for it: its own description,
 * the lint's errors, the hardware, the values of its variables, and what its own `validate.sh` thinks.
 * Throws `role-invalid`, `compose-invalid`, `role-unsuitable`, `variables-invalid`, `validate-refused`.
 */
export async function validateRelease(
  { ports, paths }: Pick<Context, 'ports' | 'paths'>,
  { folder, release, layers }: Staged,
): Promise<{ readonly role: Role; readonly variables: Variables }> {
  const role = await readRole(ports.disk, folder);
  refuseFindings(release.role, await readFiles(ports.disk, folder));
  await requireSuitable({ ports, paths }, role);
  const variables = resolveVariables(role, layers);
  await runValidateScript(ports, { folder, variables });
  return { role, variables };
}

function refuseFindings(role: string, files: RoleFiles): void {
  const errors = lintRole({ role, files }).filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.slice(1, 6).map((finding) => describeFinding(finding));
  throw new FleetError({
    code: first.file === 'role.yaml' ? 'role-invalid' : 'compose-invalid',
    what: [first.what, ...more].join('; also: '),
    where: `roles/${role}/${first.file}${first.line === null ? '' : `:${first.line}`}`,
    remedy: first.remedy,
  });
}

async function readFiles(disk: Disk, folder: string): Promise<RoleFiles> {
  const files = new Map<string, Uint8Array | { readonly link: string }>();
  const visit = async (inside: string): Promise<void> => {
    for (const name of (await disk.list(join(folder, inside))) ?? []) {
      const path = inside === '' ? name : `${inside}/${name}`;
      if (path === METADATA_FOLDER) continue;
      const full = join(folder, path);
      const stat = await disk.stat(full);
      if (stat?.kind === 'folder') await visit(path);
      else if (stat?.kind === 'link') files.set(path, { link: (await disk.readLink(full)) ?? '' });
      else if (stat !== null && stat.size > LINT_FILE_LIMIT) files.set(path, new Uint8Array());
      else files.set(path, (await disk.read(full)) ?? new Uint8Array());
    }
  };
  await visit('');
  return files;
}
