import { spawn } from 'node:child_process';
import { chown, lstat, mkdir, open, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Binaries } from './binaries.ts';
import type { Owner } from './owner.ts';

/** Everything of one embedded PostgreSQL on the disk. */
export interface Place {
  /** Holds the rest. */
  readonly folder: string;
  readonly pgdata: string;
  readonly password: string;
  readonly binaries: Binaries;
  readonly owner: Owner | null;
}

/** A running server. */
export interface Postmaster {
  readonly pid: number;
  readonly url: string;
  /** True when it was running before us: a former overlord was killed and left it. */
  readonly adopted: boolean;
}

const USER = 'fleet';
const SOCKET_PATH_LIMIT = 100;
/** Recovery after a crash replays the log and may take its time. Milliseconds. */
const START_DEADLINE = 120_000;
const FAST_DEADLINE = 20_000;

const SETTINGS = {
  listen_addresses: '',
  max_connections: '60',
  shared_buffers: '64MB',
  // A ring of one file a day of the week, so that its log cannot fill the disk.
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgres-%a.log',
  log_truncate_on_rotation: 'on',
  log_rotation_age: '1d',
  log_rotation_size: '0',
} as const;

/** Makes the data directory: checksums, UTF-8, one superuser with a password that only we can read. */
export async function initialise(place: Place): Promise<void> {
  const { pgdata, owner, binaries, folder } = place;
  await mkdir(pgdata, { recursive: true, mode: 0o700 });
  if (owner !== null) await chown(pgdata, owner.uid, owner.gid);
  const passwordFile = join(folder, 'password.init');
  await writeFile(passwordFile, place.password, { mode: 0o600 });
  if (owner !== null) await chown(passwordFile, owner.uid, owner.gid);
  try {
    const args = [
      '--pgdata',
      pgdata,
      '--username',
      USER,
      '--pwfile',
      passwordFile,
      '--auth',
      'scram-sha-256',
    ];
    const rest = ['--encoding', 'UTF8', '--no-locale', '--data-checksums', '--no-instructions'];
    await runAs(owner, [binaries.initdb, ...args, ...rest]);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Takes over the server that runs on this data directory, or starts one. Throws with the last words of its log. */
export async function bringUp(place: Place): Promise<Postmaster> {
  const running = await runningPid(place.pgdata);
  if (running !== null) {
    const socket = (await readFile(join(place.pgdata, 'postmaster.pid'), 'utf8')).split('\n')[4] ?? '';
    const url = urlOf(socket, place.password);
    await untilReady(url, () => isAlive(running));
    return { pid: running, url, adopted: true };
  }
  // Nobody of ours is behind it any more; PostgreSQL itself would refuse when another program has its number now.
  await rm(join(place.pgdata, 'postmaster.pid'), { force: true });
  return start(place);
}

async function start({ pgdata, owner, binaries, folder, password }: Place): Promise<Postmaster> {
  const socket = await socketFolder(folder, owner);
  const log = join(folder, 'start.log');
  const output = await open(log, 'w', 0o600);
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: socket });
  const child = spawn(
    binaries.postgres,
    ['-D', pgdata, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // Detached: Ctrl-C at the overlord's terminal must not stop the database before the overlord has.
    {
      stdio: ['ignore', output.fd, output.fd],
      cwd: '/',
      env: { LC_ALL: 'C.UTF-8' },
      detached: true,
      ...owner,
    },
  );
  await output.close();
  let ended = false;
  child.on('exit', () => (ended = true));
  child.on('error', () => (ended = true));
  child.unref();
  const url = urlOf(socket, password);
  try {
    await untilReady(url, () => Promise.resolve(!ended));
  } catch (cause) {
    const said = (await readFile(log, 'utf8')).trim().split('\n').slice(-3).join(' ');
    throw new Error(`PostgreSQL does not start: ${said}`, { cause });
  }
  if (child.pid === undefined) throw new Error('PostgreSQL started without a process');
  return { pid: child.pid, url, adopted: false };
}

/** Stops it in order; when it does not end in time, at once (it recovers from its log at the next start). */
export async function bringDown({ pid }: Pick<Postmaster, 'pid'>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!(await isAlive(pid))) return;
    process.kill(pid, signal);
    for (let waited = 0; waited < FAST_DEADLINE; waited += 50) {
      if (!(await isAlive(pid))) return;
      await sleep(50);
    }
  }
}

/** True while a process is there and not merely waiting to be collected by its parent. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) Z /.test(stat);
}

/** The process that serves this data directory, by its pid file and what the kernel says of that process. */
async function runningPid(pgdata: string): Promise<number | null> {
  const text = await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid))) return null;
  if (process.platform !== 'linux') return pid;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  return cwd === pgdata ? pid : null;
}

/** Paths of sockets are limited to 107 bytes; a deep data folder gets a private one in /tmp. */
async function socketFolder(folder: string, owner: Owner | null): Promise<string> {
  const near = join(folder, 'socket');
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const path =
    near.length < SOCKET_PATH_LIMIT - '/.s.PGSQL.5432'.length ? near : `/tmp/metrica-fleet-${digest}`;
  await mkdir(path, { mode: 0o700 }).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'EEXIST') throw thrown;
  });
  const found = await lstat(path);
  const uid = owner?.uid ?? process.getuid?.() ?? 0;
  if (
    !found.isDirectory() ||
    (found.uid !== uid && found.uid !== process.getuid?.()) ||
    (found.mode & 0o077) !== 0
  ) {
    throw new Error(`${path} is not a private folder of ours. Remove it.`);
  }
  if (owner !== null) await chown(path, owner.uid, owner.gid);
  return path;
}

function urlOf(socket: string, password: string): string {
  return `postgres://${USER}:${password}@/postgres?host=${encodeURIComponent(socket)}`;
}

async function untilReady(url: string, alive: () => Promise<boolean>): Promise<void> {
  let last: unknown;
  for (let waited = 0; waited < START_DEADLINE; waited += 50) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (thrown) {
      last = thrown;
    } finally {
      await client.end().catch(() => undefined);
    }
    if (!(await alive())) break;
    await sleep(50);
  }
  throw new Error('PostgreSQL does not answer', { cause: last });
}

function runAs(owner: Owner | null, [program = '', ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: '/',
      env: { LC_ALL: 'C.UTF-8' },
      timeout: START_DEADLINE,
      ...owner,
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-2_000)));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`PostgreSQL could not make its data directory: ${said.trim()}`));
    });
  });
}

/** A password for the superuser: random, and never on a command line. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}
