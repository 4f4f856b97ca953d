import { FleetError } from '@metrica-fleet/protocol';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** For people: «the overlord». */
  readonly name: string;
  /** Of Node: script, then arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Written to standard input, which is then closed. */
  readonly input?: string;
  /** File that gets all that it says. */
  readonly log: string;
  /** Called with each line of its standard output. */
  readonly onLine: (line: string) => void;
  /** Called when it ends without having been asked to. */
  readonly onDeath: (error: FleetError) => void;
}

/** Milliseconds in which a child that was asked to end does so; then it is killed. */
const GRACE = 30_000;
/** Of what it said last, as much is told when it dies. Characters. */
const LAST_WORDS = 2_000;

/** A program of the demo that runs beside it. */
export interface Child {
  /** SIGTERM; resolves when it is gone, and everything that it said is in its log. */
  stop(): Promise<void>;
}

/**
 * Starts a program in a process group of its own: Ctrl-C reaches only us, so that everything ends in order, simulated
 * devices before their overlord.
 */
export function startChild({ name, argv, input, log, onLine, onDeath }: ChildOptions): Child {
  // Should we be killed, it is asked to end: nothing is left behind in any case.
  const args = ['--pdeathsig', 'TERM', process.execPath, ...argv];
  const child = spawn('setpriv', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const file = createWriteStream(log, { mode: 0o600 });
  let lastWords = '';
  let asked = false;
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = `${lastWords}${chunk.toString('utf8')}`.slice(-LAST_WORDS);
  });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(file, { end: false });
  createInterface({ input: child.stdout }).on('line', onLine);

  const gone = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      onDeath(died(name, error.message));
      resolve();
    });
    child.on('close', (code, signal) => {
      file.end(resolve);
      const said = lastWords.trim().split('\n').at(-1) ?? '';
      if (!asked) onDeath(died(name, said === '' ? `it ended with ${signal ?? code}` : said));
    });
  });
  return {
    async stop() {
      asked = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE);
      await gone;
      clearTimeout(timer);
    },
  };
}

function died(name: string, why: string): FleetError {
  return new FleetError({
    code: 'command-failed',
    what: `${name} has ended: ${why}`,
    remedy: 'Run the demo again with --data <an empty folder>: its logs are kept there.',
  });
}
