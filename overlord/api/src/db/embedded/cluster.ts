import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseError } from '../database-error.ts';
import type { DatabaseLog } from '../log.ts';
import { codeOf, fileTrouble } from './folder.ts';
import { endAllIn } from './orphans.ts';
import { spawnOptions, WORKING_DIRECTORY, type Server } from './server.ts';
import { OWNER } from './settings.ts';

/** Half a second on a small server; a slow SD card needs its time. Milliseconds. */
const DEADLINE = 180_000;

type Parts = Pick<Server, 'cluster' | 'programs' | 'account'>;

/**
 * Makes the cluster on first use: beside its place, then renamed, so that a start cut short leaves none or a whole one.
 * Throws `version-incompatible` for data of another major version, `no-space`, `start-failed` with what initdb said.
 */
export async function ensureCluster(parts: Parts, log: DatabaseLog): Promise<void> {
  const { cluster, programs } = parts;
  const version = await versionOf(cluster);
  if (version !== null) return requireVersion(version, parts);
  await removeLeftovers(cluster);
  const started = performance.now();
  const fresh = `${cluster}.new-${randomBytes(4).toString('hex')}`;
  try {
    await initialise({ ...parts, cluster: fresh });
    await rename(fresh, cluster);
    await syncFolder(dirname(cluster));
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw fileTrouble(error, cluster);
  }
  const took = Math.round(performance.now() - started);
  log.info({ cluster, major: programs.major, took }, 'The database was made');
}

/** The major version that wrote the data; null when there is none yet. */
async function versionOf(cluster: string): Promise<string | null> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileTrouble(error, cluster);
    const found = await readdir(cluster).catch(() => []);
    if (found.length === 0) return null;
    throw new DatabaseError({
      code: 'data-folder-unusable',
      what: 'The folder has files in it, and they are not a database',
      where: cluster,
      remedy: 'Move them away, or give the overlord a data folder of its own.',
    });
  }
}

function requireVersion(version: string, { cluster, programs }: Parts): void {
  if (version === `${programs.major}`) return;
  throw new DatabaseError({
    code: 'version-incompatible',
    what: `The database was written by PostgreSQL ${version}, and this overlord brings PostgreSQL ${programs.major}`,
    where: cluster,
    remedy:
      'Make a backup with the version of the overlord that wrote it, and restore that into a new data folder.',
  });
}

/** Of starts that were cut short. When an overlord is killed, its initdb goes on, and would write what we remove. */
async function removeLeftovers(cluster: string): Promise<void> {
  const folder = dirname(cluster);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!path.startsWith(`${cluster}.new-`)) continue;
    await endAllIn(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** UTF-8, ordered by code point, letters known to the server itself: the same on every machine and after every upgrade. */
const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

async function initialise({ cluster, programs, account }: Parts): Promise<void> {
  await mkdir(cluster, { mode: 0o700 });
  if (account !== null) await chown(cluster, account.uid, account.gid);
  const args = ['--pgdata', WORKING_DIRECTORY, '--username', OWNER, '--auth=trust', ...LOCALE];
  const options = {
    ...spawnOptions({ cluster, account }),
    timeout: DEADLINE,
    killSignal: 'SIGKILL',
  } as const;
  const { code, said } = await runToEnd(programs.initdb, [...args, '--no-instructions'], options);
  if (code === 0) return;
  const reason = said
    .trim()
    .split('\n')
    .filter((line) => /error|could not|FATAL|HINT/i.test(line))
    .slice(-3)
    .join(' ');
  throw new DatabaseError({
    code: codeOf(said),
    what: `The database could not be made: ${reason === '' ? said.trim().slice(-500) : reason}`,
    where: cluster,
    remedy: 'Nothing was left behind; mend the cause and start the overlord again.',
  });
}

type Options = Parameters<typeof spawn>[2];

function runToEnd(
  program: string,
  args: string[],
  options: Options,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const keep = (text: Buffer): void => {
      said = (said + text.toString('utf8')).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
