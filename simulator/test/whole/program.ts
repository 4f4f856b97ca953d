import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));

/** Compiles what runs as its users run it. */
export async function compile(...packages: readonly string[]): Promise<void> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-b', ...packages], { cwd: ROOT });
}

/** A program of ours that says what happens as lines of JSON on its standard output. */
export class Program<T extends object> {
  private readonly child: ChildProcess;
  private said = '';
  /** Its exit code, once it has ended; null when a signal killed it. */
  readonly ended: Promise<number | null>;

  /** `script` from the root of the clone; `input` is a line for its standard input. */
  constructor(
    script: string,
    args: readonly string[],
    { input, heard }: { input?: string; heard: (line: T) => void },
  ) {
    this.child = spawn(process.execPath, [join(ROOT, script), ...args], { stdio: 'pipe' });
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
    this.child.stdin?.end(input);
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.said = `${this.said}${chunk.toString('utf8')}`.slice(-4_000);
    });
    if (this.child.stdout === null) throw new Error('No standard output');
    createInterface({ input: this.child.stdout }).on('line', (line) => heard(JSON.parse(line) as T));
  }

  /** What it wrote for people, the end of it. */
  get complaint(): string {
    return this.said;
  }

  /** Ends it by SIGTERM; returns its exit code. */
  async end(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return await this.ended;
  }
}
