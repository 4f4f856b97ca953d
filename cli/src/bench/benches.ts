import { FleetError } from '@metrica-fleet/protocol';
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Cancelled } from '../failure.ts';
import type { Measured } from './figure.ts';

/** Names of the benches of a clone, sorted: each `test/bench/<name>.ts` is one. What they share is in subfolders. */
export async function benchNames(root: string): Promise<readonly string[]> {
  const files = await readdir(join(root, 'test/bench')).catch(() => []);
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

export interface BenchRun {
  readonly root: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until it is killed. */
  readonly deadline: number;
}

/**
 * Runs a bench that has been built, as a program of its own: it imports what the command line must not, may be stopped
 * with all that it holds, and has nobody's memory and timers beside its own. Its stderr says what it does, its stdout is
 * what it measured: a JSON array of `Measured`.
 */
export async function runBench({ root, name, env, deadline }: BenchRun): Promise<readonly Measured[]> {
  const child = spawn(process.execPath, [join(root, 'test/dist/bench', `${name}.js`)], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: deadline,
    killSignal: 'SIGKILL',
  });
  let stopped = false;
  const stop = (signal: NodeJS.Signals): void => {
    stopped = true;
    child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  }).finally(() => process.off('SIGINT', stop).off('SIGTERM', stop));
  if (stopped) throw new Cancelled();
  if (code === 0) return JSON.parse(Buffer.concat(out).toString()) as readonly Measured[];
  throw new FleetError({
    code: 'command-failed',
    what: `The bench «${name}» ended with ${code === null ? 'a signal' : `exit code ${code}`}`,
    where: `test/bench/${name}.ts`,
  });
}
