import { FleetError } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import { benchNames, runBench } from '../bench/benches.ts';
import { figureOf, figuresJson, figuresText } from '../bench/figure.ts';
import type { Shell } from '../program.ts';
import { watch } from '../testing/watch.ts';

/** Milliseconds for compiling the benches. */
const BUILD = 300_000;

/** Milliseconds for one bench, with what it has to make on first use (root file systems). */
const MEASURE = 1_800_000;

/** `fleet bench`: figures, each beside a peer or a ceiling of the same run where there is one. */
export function addBench(shell: Shell): void {
  shell.program
    .command('bench')
    .description('Measure; without a name, list what can be measured')
    .argument('[name]', 'bench to run')
    .option('--json', 'print one line of JSON with the figures')
    .action(async (name: string | undefined, { json }: { readonly json?: true }) => {
      const names = await benchNames(shell.root);
      if (name === undefined) shell.terminal.out(names.map((one) => `${one}\n`).join(''));
      else if (names.includes(name)) await measure(name, json === true, shell);
      else
        shell.program.error(
          `error: there is no bench «${name}»; there are: ${names.join(', ') || 'none yet'}`,
        );
    });
}

async function measure(name: string, json: boolean, { terminal, root }: Shell): Promise<void> {
  await build(root, terminal.env);
  const measured = await runBench({ root, name, env: terminal.env, deadline: MEASURE });
  const figures = measured.map(figureOf);
  terminal.out(json ? `${figuresJson(name, figures)}\n` : figuresText(figures));
}

async function build(root: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const argv = [process.execPath, tsc, '-b', 'test'] as const;
  const trouble = await watch({ argv, cwd: root, env, deadline: BUILD });
  if (trouble === null) return;
  throw new FleetError({ code: 'command-failed', what: `The compiler ${trouble}`, where: 'test/bench/' });
}
