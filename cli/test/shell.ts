import { dirname } from 'node:path';
import { runProgram } from '../src/program.ts';
import type { Exit } from '../src/exit.ts';

/** The clone that these tests are in. */
export const ROOT = dirname(dirname(import.meta.dirname));

export interface Said {
  readonly exit: Exit;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process. */
export async function fleet(argv: readonly string[], cwd = ROOT): Promise<Said> {
  let stdout = '';
  let stderr = '';
  const terminal = {
    out: (text: string) => void (stdout += text),
    aside: (text: string) => void (stderr += text),
    cwd,
    env: {},
  };
  const exit = await runProgram(argv, terminal, ROOT);
  return { exit, stdout, stderr };
}
