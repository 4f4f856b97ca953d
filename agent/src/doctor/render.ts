import type { Diagnosis } from './doctor.ts';
import type { Finding, Severity } from './finding.ts';

const TITLES: Record<Exclude<Severity, 'ok'>, string> = {
  problem: 'Problems',
  warning: 'Warnings',
  unknown: 'Could not be told',
};

/** What was found, for a person: worst first, what is well in one line. `root`: whether commands can be typed as they are. */
export function renderDiagnosis({ findings }: Diagnosis, root: boolean): string {
  const groups = Object.entries(TITLES).flatMap(([severity, title]) => {
    const group = findings.filter((finding) => finding.severity === severity);
    return group.length === 0 ? [] : [title, ...group.flatMap((finding) => linesOf(finding, root)), ''];
  });
  const well = findings.filter(({ severity }) => severity === 'ok').map(({ check }) => check);
  const hidden = !root && findings.some(({ severity }) => severity === 'unknown');
  return [
    ...groups,
    ...(well.length === 0 ? [] : [`Well: ${[...new Set(well)].join(', ')}`]),
    ...(hidden ? ['More is to be seen as root: sudo role-agent doctor'] : []),
    '',
  ].join('\n');
}

function linesOf({ check, seen, why, remedy, command }: Finding, root: boolean): readonly string[] {
  return [
    `  ${check}: ${seen}`,
    ...(why === undefined ? [] : [`      why: ${why}`]),
    ...(remedy === undefined ? [] : [`      do:  ${remedy}`]),
    ...(command === undefined ? [] : [`      $ ${root ? command : asUser(command)}`]),
  ];
}

/** Redirections and second commands need root, too. */
function asUser(command: string): string {
  if (!/[|&;<>$'"\\]/.test(command)) return `sudo ${command}`;
  return `sudo sh -c '${command.replaceAll("'", `'\\''`)}'`;
}
