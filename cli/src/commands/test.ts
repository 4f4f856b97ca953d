import { InvalidArgumentError } from 'commander';
import { EXIT } from '../exit.ts';
import type { Shell } from '../program.ts';
import { leftOut, succeeded, summary, type Outcome } from '../testing/outcome.ts';
import { PARTS, type Part } from '../testing/parts.ts';
import { packagesOf, thisMachine, whyNot } from '../testing/prerequisites.ts';
import { runPart } from '../testing/run-part.ts';

interface TestOptions {
  readonly listPackages?: true;
}

/** `fleet test`: for those who work on Metrica Fleet itself. */
export function addTest(shell: Shell): void {
  shell.program
    .command('test')
    .description('Test this clone: everything that this machine can run')
    .argument('[part...]', `parts to run (default: all): ${names().join(', ')}`, collectPart)
    .option('--list-packages', 'print the Debian packages that the parts need, and run nothing')
    .addHelpText('after', '\nUnder CI=true a part that is left out, or a test that is skipped, is a failure.')
    .action(async (asked: readonly Part[], { listPackages }: TestOptions) => {
      const parts = asked.length > 0 ? asked : PARTS;
      if (listPackages)
        shell.terminal.out(`${packagesOf(parts.flatMap(({ programs }) => programs)).join('\n')}\n`);
      else await testParts(parts, asked.length > 0, shell);
    });
}

/** Every part has its turn, also after one that failed. */
async function testParts(
  parts: readonly Part[],
  byName: boolean,
  { terminal, root, exit }: Shell,
): Promise<void> {
  const ci = terminal.env['CI'] === 'true';
  const machine = thisMachine();
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const reason = whyNot(part, machine);
    outcomes.push(
      reason === null ? await runPart(part, { terminal, root }) : leftOut(part.name, reason, ci || byName),
    );
  }
  terminal.out(summary(outcomes, ci));
  exit(succeeded(outcomes, ci) ? EXIT.done : EXIT.failed);
}

function collectPart(name: string, before: readonly Part[] = []): readonly Part[] {
  const part = PARTS.find((one) => one.name === name);
  if (part === undefined) throw new InvalidArgumentError(`The parts are ${names().join(', ')}.`);
  return before.includes(part) ? before : [...before, part];
}

function names(): string[] {
  return PARTS.map(({ name }) => name);
}
