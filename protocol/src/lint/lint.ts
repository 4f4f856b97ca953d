import type { RoleFiles } from './files.ts';
import { sortFindings, type Finding } from './finding.ts';
import { declarationFindings } from './declarations.ts';
import { healthFindings } from './health.ts';
import { mountFindings } from './mounts.ts';
import { networkNameFindings } from './network-names.ts';
import { referenceFindings } from './references.ts';
import { secretFindings } from './secrets.ts';
import { selfContainedFindings } from './self-contained.ts';
import { structureFindings } from './structure.ts';
import { variableFindings } from './variables.ts';
import { readRoleFile } from './role-file.ts';
import { readStacks } from './stacks.ts';
import type { Subject } from './subject.ts';

export type { RoleEntry, RoleFiles } from './files.ts';
export { describeFinding, type Finding } from './finding.ts';
export { interpolated } from './interpolation.ts';
export { parseRole } from './role-file.ts';
export { RULES, type RuleName, type Severity } from './rules.ts';

/** Each looks at one theme. What it needs and is missing or broken has been reported by then, so it stays silent. */
const THEMES: readonly ((subject: Subject) => readonly Finding[])[] = [
  structureFindings,
  mountFindings,
  selfContainedFindings,
  referenceFindings,
  declarationFindings,
  healthFindings,
  networkNameFindings,
  secretFindings,
  variableFindings,
];

/**
 * Everything that is wrong with a role, sorted by file and line. Pure: the caller reads the files. Never throws, whatever
 * the bytes; the same code judges a release on the overlord, on the device and in `fleet role lint`.
 */
export function lintRole(folder: RoleFiles): Finding[] {
  const { role, tree, findings: ofRole } = readRoleFile(folder);
  const { stacks, findings: ofStacks } = readStacks(folder);
  const subject: Subject = { files: folder.files, role, roleTree: tree, stacks };
  return sortFindings([...ofRole, ...ofStacks, ...THEMES.flatMap((theme) => theme(subject))]);
}
