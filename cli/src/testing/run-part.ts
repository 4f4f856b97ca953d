import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Terminal } from '../terminal.ts';
import type { Outcome } from './outcome.ts';
import type { Check, Part } from './parts.ts';
import { outcomeOf } from './vitest-report.ts';
import { watch } from './watch.ts';

export interface Place {
  readonly terminal: Terminal;
  /** The clone. */
  readonly root: string;
}

/** Runs one part to its end or its deadline, with live output. Throws only `Cancelled`. */
export async function runPart(part: Part, place: Place): Promise<Outcome> {
  place.terminal.out(`\n── ${part.name}: ${part.about} ──\n`);
  switch (part.work.kind) {
    case 'checks':
      return await runChecks(part, part.work.checks, place);
    case 'vitest':
      return await runVitest(part, part.work.args, place);
  }
}

/** All of them, even when one fails. */
async function runChecks(part: Part, checks: readonly Check[], place: Place): Promise<Outcome> {
  const started = Date.now();
  const failures: string[] = [];
  for (const { name, argv, remedy } of checks) {
    place.terminal.out(`${name}: ${argv.join(' ')}\n`);
    const trouble = await tool(argv, part.minutes * 60_000 - (Date.now() - started), place);
    if (trouble !== null) failures.push(`${name} ${trouble}. ${remedy}`);
  }
  return {
    part: part.name,
    counts: { passed: checks.length - failures.length, failed: failures.length, skipped: 0 },
    took: Date.now() - started,
    leftOut: null,
    failures,
    skips: [],
  };
}

async function runVitest(part: Part, args: readonly string[], place: Place): Promise<Outcome> {
  const started = Date.now();
  const folder = await mkdtemp(join(tmpdir(), 'fleet-test-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const trouble = await tool(['vitest', 'run', ...args, ...reporters], part.minutes * 60_000, place);
    const report = await readFile(file, 'utf8').catch(() => null);
    return outcomeOf({ part: part.name, report, trouble, took: Date.now() - started });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A tool of node_modules, from the root of the clone. */
async function tool(
  argv: Check['argv'],
  deadline: number,
  { terminal, root }: Place,
): Promise<string | null> {
  const path = [join(root, 'node_modules', '.bin'), terminal.env['PATH']].filter(Boolean).join(delimiter);
  return await watch({ argv, cwd: root, env: { ...terminal.env, PATH: path }, deadline });
}
