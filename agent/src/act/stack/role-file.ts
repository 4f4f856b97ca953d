import { FleetError, parseYaml, RoleSchema, type Role } from '@metrica-fleet/protocol';
import { join } from 'node:path/posix';
import type { Disk } from '../../ports/disk.ts';

/** Reads `role.yaml` of a release folder. Throws `role-invalid` with file and line. */
export async function readRole(disk: Disk, folder: string): Promise<Role> {
  const text = await disk.readText(join(folder, 'role.yaml'));
  if (text === null) {
    throw new FleetError({
      code: 'role-invalid',
      what: 'The role has no role.yaml',
      where: 'role.yaml',
      remedy: 'Add one; templates/role/role.yaml shows every field.',
    });
  }
  return parseYaml(text, { where: 'role.yaml', schema: RoleSchema, code: 'role-invalid' }).value;
}
