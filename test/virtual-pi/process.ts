import { spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; a deadline (milliseconds) kills it and gives code 124. */
export function command(
  argv: readonly [string, ...string[]] | readonly string[],
  options: {
    readonly deadline: number;
    readonly input?: Buffer | string;
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
  },
): Promise<Outcome> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.deadline);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      const stderr = Buffer.concat(err).toString();
      resolve({
        code: late ? 124 : (code ?? 137),
        stdout: Buffer.concat(out).toString(),
        stderr: late ? `${stderr}\nstopped after ${options.deadline} ms` : stderr,
      });
    });
  });
}

/** The same, for programs that must succeed; returns what they print. */
export async function must(argv: readonly string[], options: Parameters<typeof command>[1]): Promise<string> {
  const { code, stdout, stderr } = await command(argv, options);
  if (code !== 0) throw new Error(`${argv.slice(0, 4).join(' ')} failed (${code}): ${stderr || stdout}`);
  return stdout;
}
