import { FleetError } from '../errors.ts';
import { RoleSchema, type Role } from '../role.ts';
import { parseYaml } from '../yaml.ts';
import { finding, type Finding } from './finding.ts';
import { textOf, type RoleFiles } from './files.ts';
import { readTree, type Tree } from './tree.ts';

export const ROLE_FILE = 'role.yaml';
const TEMPLATE = 'templates/role/role.yaml shows every field.';

/** `role.yaml` as it was understood: without a role where it is missing or does not fit its schema. */
export interface RoleFile {
  readonly role: Role | null;
  readonly tree: Tree | null;
  readonly findings: readonly Finding[];
}

/** Parses `role.yaml`. Throws a FleetError `role-invalid` whose `where` is `<where>:<line>`. */
export function parseRole(text: string, where: string): Role {
  return parseYaml(text, { where, schema: RoleSchema, code: 'role-invalid', remedy: TEMPLATE }).value;
}

/** Reads `role.yaml` of a role's files, with what is wrong with it. */
export function readRoleFile({ role: folder, files }: RoleFiles): RoleFile {
  const text = textOf(files, ROLE_FILE);
  if (text === null) {
    const what = files.has(ROLE_FILE) ? 'role.yaml is not a text file' : 'The role has no role.yaml';
    return { role: null, tree: null, findings: [fault(what, null, `Add one; ${TEMPLATE}`)] };
  }
  const read = readTree(text);
  if (!('tree' in read)) {
    const findings = [fault(`role.yaml is not valid: ${read.what}`, read.line, `Correct it; ${TEMPLATE}`)];
    return { role: null, tree: null, findings };
  }
  try {
    const role = parseRole(text, ROLE_FILE);
    return { role, tree: read.tree, findings: nameFindings(folder, role, read.tree) };
  } catch (thrown) {
    return { role: null, tree: read.tree, findings: [faultOf(thrown)] };
  }
}

function nameFindings(folder: string, role: Role, tree: Tree): Finding[] {
  if (role.name === folder) return [];
  const line = tree.fields.get('name')?.line ?? null;
  return [
    finding('role-name', {
      file: ROLE_FILE,
      line,
      what: `The role is called ${role.name}, its folder ${folder}`,
      remedy: `Write \`name: ${folder}\`, or rename the folder.`,
    }),
  ];
}

function faultOf(thrown: unknown): Finding {
  if (!(thrown instanceof FleetError))
    return fault('role.yaml cannot be read', null, `Correct it; ${TEMPLATE}`);
  const { what, where = '', remedy = TEMPLATE } = thrown.problem;
  const line = /:(\d+)$/.exec(where)?.[1];
  return fault(what, line === undefined ? null : Number(line), remedy);
}

// The three parts of a finding that differ.
function fault(what: string, line: number | null, remedy: string): Finding {
  return finding('role-file', { file: ROLE_FILE, line, what, remedy });
}
