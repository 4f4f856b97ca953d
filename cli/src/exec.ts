import { FleetError } from '@metrica-fleet/protocol';
import { spawn } from 'node:child_process';

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Written to standard input, which is then closed. */
  readonly input?: string | Uint8Array;
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes beside 0 that are an answer. */
  readonly accept?: readonly number[];
  /** Ends the program; its reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface Finished {
  readonly code: number;
  readonly stdout: Buffer;
}

/**
 * Runs a program for a person at a terminal: what it asks or says on standard error and on the terminal itself (a
 * passphrase, «touch your key») stays between the two. Throws `command-failed` with its last words.
 */
export function exec({ argv, cwd, input, env, accept = [], signal }: Command): Promise<Finished> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString('utf8')}`.slice(-4_000)));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (error) => {
      if (signal?.aborted !== true) reject(failed(argv, error.message));
    });
    child.on('close', (code) => {
      if (signal?.aborted === true) reject(signal.reason as Error);
      else if (code === 0 || (code !== null && accept.includes(code)))
        resolve({ code, stdout: Buffer.concat(stdout) });
      else reject(failed(argv, stderr.trim() || `exit code ${code ?? 'none'}`));
    });
  });
}

function failed(argv: readonly string[], said: string): FleetError {
  return new FleetError({ code: 'command-failed', what: `«${argv.slice(0, 3).join(' ')}»: ${said}` });
}
