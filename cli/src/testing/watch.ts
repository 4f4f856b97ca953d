import { spawn } from 'node:child_process';
import { Cancelled } from '../failure.ts';

export interface Watched {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until its whole process group is killed. */
  readonly deadline: number;
}

/**
 * Runs a tool with its output live. Returns null when it ended well, else how it ended. Ctrl-C and SIGTERM go on to it
 * and throw `Cancelled`. It has a process group of its own, so that nothing of it outlives its deadline.
 */
export function watch({ argv, cwd, env, deadline }: Watched): Promise<string | null> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    let late = false;
    let stopped = false;
    const kill = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined) killGroup(child.pid, signal);
    };
    const stop = (signal: NodeJS.Signals): void => {
      stopped = true;
      kill(signal);
    };
    const timer = setTimeout(() => {
      late = true;
      kill('SIGKILL');
    }, deadline);
    process.on('SIGINT', stop).on('SIGTERM', stop);
    const settled = (): void => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop);
    };
    child.on('error', (error) => {
      settled();
      resolve(`${program} could not be started: ${error.message}`);
    });
    child.on('close', (code, signal) => {
      settled();
      if (stopped) reject(new Cancelled());
      else if (late) resolve(`not done within ${Math.round(deadline / 1000)} s`);
      else resolve(code === 0 ? null : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
  }
}
