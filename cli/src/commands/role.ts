import { describeFinding, lintRole, type Finding } from '@metrica-fleet/protocol/lint';
import { relative } from 'node:path';
import { EXIT } from '../exit.ts';
import type { Shell } from '../program.ts';
import { findRoles, readRole } from '../roles/read-role.ts';

/** What is found in one role; `folder` is relative to the working directory. */
interface Linted {
  readonly folder: string;
  readonly findings: readonly Finding[];
}

/** `fleet role`: the roles of a fleet repo, as they lie in the work tree. */
export function addRole(shell: Shell): void {
  const role = shell.program.command('role').description('Roles: what a device can be');
  role
    .command('lint')
    .description('Find what would go wrong on a device, before it is pushed')
    .argument('[role...]', 'names in roles/, or paths of folders (default: every role)')
    .option('--json', 'print one line of JSON with the findings')
    .addHelpText('after', '\nEnds with 6 when there is an error; warnings are only said.')
    .action(async (words: readonly string[], { json }: { readonly json?: true }) => {
      await lint(words, json === true, shell);
    });
}

async function lint(words: readonly string[], json: boolean, { terminal, exit }: Shell): Promise<void> {
  const linted: Linted[] = [];
  for (const folder of await findRoles(words, terminal.cwd)) {
    const findings = lintRole(await readRole(folder));
    linted.push({ folder: relative(terminal.cwd, folder), findings });
  }
  terminal.out(json ? asJson(linted) : asText(linted));
  const all = linted.flatMap(({ findings }) => findings);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  terminal.aside(
    `${count(linted.length, 'role')}, ${count(errors, 'error')}, ${count(all.length - errors, 'warning')}\n`,
  );
  if (errors > 0) exit(EXIT.gateFailed);
}

function asText(linted: readonly Linted[]): string {
  const lines = linted.flatMap(({ folder, findings }) =>
    findings.map((found) => describeFinding({ ...found, file: pathOf(folder, found) })),
  );
  return lines.map((line) => `${line}\n`).join('');
}

function asJson(linted: readonly Linted[]): string {
  const findings = linted.flatMap(({ folder, findings: inRole }) =>
    inRole.map((found) => ({ ...found, file: pathOf(folder, found) })),
  );
  return `${JSON.stringify({ schemaVersion: 1, findings })}\n`;
}

/** Path of a finding's file from the working directory, so that an editor or a terminal can open it. */
function pathOf(folder: string, { file }: Finding): string {
  return folder === '' ? file : `${folder}/${file}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
