import { InvalidArgumentError, type Command } from 'commander';
import { resolve } from 'node:path';
import { runDemo } from '../demo/demo.ts';
import { DEFAULT_PORT } from '../demo/hints.ts';
import { findRunning } from '../demo/running.ts';
import { DEEDS, interfere, type Deed } from '../demo/simulator.ts';
import { Cancelled } from '../failure.ts';
import type { Shell } from '../program.ts';

interface Options {
  readonly devices: number;
  readonly port: number;
  readonly timeout: number;
  readonly exitWhenConverged?: true;
  readonly json?: true;
  readonly data?: string;
}

/** As many as one simulator on one machine is good for. */
const MOST_DEVICES = 2_000;
/** Seconds: a day. */
const LONGEST = 86_400;

const ABOUT: Readonly<Record<Deed, string>> = {
  cut: 'Cut a simulated Pi of the running demo off the network',
  restore: 'Put it back',
  reboot: 'Pull its plug, and put it in again',
};

/** `fleet demo`: a whole fleet on this machine, to look at and to try things on. */
export function addDemo(shell: Shell): void {
  const demo = shell.program
    .command('demo')
    .description(
      'Show a whole fleet on this machine: the overlord, a fleet repo, simulated Pis; until Ctrl-C',
    )
    .option('--devices <number>', 'simulated Pis', wholeNumber(1, MOST_DEVICES), 24)
    .option(
      '--port <port>',
      'where the overlord is, on this machine only',
      wholeNumber(1, 65_535),
      DEFAULT_PORT,
    )
    .option('--timeout <seconds>', 'how long the Pis may take to converge', wholeNumber(1, LONGEST), 300)
    .option('--exit-when-converged', 'end once every Pi is healthy on the release that it should have')
    .option('--json', 'print one line of JSON once they have converged, or had no more time')
    .option('--data <folder>', 'an empty folder to keep everything in (default: a temporary one)')
    .action(async (options: Options) => show(shell, options));
  for (const deed of DEEDS) addDeed(demo, deed, shell);
}

async function show({ terminal, root, exit }: Shell, options: Options): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort(new Cancelled());
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  try {
    exit(
      await runDemo(
        {
          ...options,
          exitWhenConverged: options.exitWhenConverged === true,
          json: options.json === true,
          data: options.data === undefined ? null : resolve(terminal.cwd, options.data),
        },
        { terminal, root, stopping: stop.signal },
      ),
    );
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

function addDeed(demo: Command, deed: Deed, { terminal, root }: Shell): void {
  demo
    .command(deed)
    .description(ABOUT[deed])
    .argument('<device>', 'its name, as pi-0003')
    .action(async (device: string, _options: unknown, command: Command) => {
      // `--port` is the demo's, before or after the verb.
      const { port } = command.optsWithGlobals<Options>();
      const { control } = await findRunning(root, port);
      await interfere(control, device, deed);
      terminal.aside(`Done: ${deed} ${device}.\n`);
    });
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
}
