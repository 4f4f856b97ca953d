import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../shell.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(
  argv: readonly [string, ...string[]],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const [program, ...args] = argv;
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * A clone whose npm is a stand-in: it takes a while, notes that it ran, and «installs» a compiler that notes that it ran
 * and «builds» a command that prints its arguments. Either fails when the file `broken-npm` or `broken-tsc` is there.
 */
export class MiniClone {
  private readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<MiniClone> {
    const root = await mkdtemp(join(tmpdir(), 'fleet-clone-'));
    for (const folder of ['bin', 'protocol/src', 'cli/src'])
      await mkdir(join(root, folder), { recursive: true });
    for (const path of ['fleet', 'cli/launcher'])
      await cp(join(ROOT, path), join(root, path), { recursive: true });
    for (const path of [
      'tsconfig.base.json',
      'protocol/tsconfig.json',
      'cli/tsconfig.json',
      'cli/src/main.ts',
    ])
      await writeFile(join(root, path), '');
    await writeFile(join(root, 'package.json'), '{"type":"module"}');
    await writeFile(join(root, 'package-lock.json'), '{"packages":{"node_modules/a":{"version":"1"}}}');
    await writeFile(join(root, 'tsc'), TSC);
    await writeFile(join(root, 'bin/npm'), NPM);
    await chmod(join(root, 'bin/npm'), 0o755);
    return new MiniClone(root);
  }

  async fleet(...args: readonly string[]): Promise<Ended> {
    const env = { ...process.env, PATH: `${this.root}/bin:${process.env['PATH']}` };
    return await run([join(this.root, 'fleet'), ...args], { cwd: tmpdir(), env });
  }

  /** What ran so far: `npm`, `tsc`. */
  async ran(): Promise<readonly string[]> {
    const notes = await readFile(join(this.root, 'ran'), 'utf8').catch(() => '');
    return notes.split('\n').filter(Boolean);
  }

  async write(path: string, text = ''): Promise<void> {
    await mkdir(join(this.root, path, '..'), { recursive: true });
    await writeFile(join(this.root, path), text);
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.root, path), { recursive: true, force: true });
  }
}

const NPM = `#!/bin/sh
echo npm >> ran
test ! -e broken-npm || { echo 'no network here' >&2; exit 1; }
rm -rf node_modules && sleep 0.3 && mkdir -p node_modules/typescript/bin && cp tsc node_modules/typescript/bin/tsc
echo chatter
`;

const TSC = `
const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('ran', 'tsc\\n');
if (existsSync('broken-tsc')) { console.log('cli/src/main.ts(1,1): error'); process.exit(2); }
mkdirSync('cli/dist', { recursive: true });
writeFileSync('cli/dist/main.js', 'console.log(JSON.stringify(process.argv.slice(2)))');
`;
