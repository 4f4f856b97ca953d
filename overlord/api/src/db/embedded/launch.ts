import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DatabaseError } from '../database-error.ts';
import type { DatabaseLog } from '../log.ts';
import { codeOf } from './folder.ts';
import { complaints, openLog, rotateLog } from './log-file.ts';
import { clearAfterDeath } from './orphans.ts';
import { findPostmaster, isAlive, processAt, type Process } from './postmaster.ts';
import { spawnOptions, type Server } from './server.ts';
import { DATABASE, settings, urlOf } from './settings.ts';
import { stopPostmaster } from './stop.ts';

/** After a power cut a server replays its write-ahead log first, at most 256 MB of it. Milliseconds. */
const DEADLINE = 300_000;
const CONNECT_DEADLINE = 5_000;

/** A server that answers. */
export interface Running {
  readonly postmaster: Process;
  /** Resolves when our own connection to it ends, as it does at once when the server does, however that comes. */
  readonly lost: Promise<void>;
}

/**
 * The server that an overlord left behind when it was killed, or null. One that was started in another way (by another
 * version of ours) or that does not answer is stopped.
 */
export async function adopt(server: Server, log: DatabaseLog): Promise<Running | null> {
  const postmaster = await findPostmaster(server.cluster);
  if (postmaster === null) return null;
  const { pid } = postmaster;
  if (await wasStartedAs(server)) {
    try {
      const running = await answer(server, postmaster, log);
      log.info({ pid }, 'PostgreSQL was still running, and is kept');
      return running;
    } catch (error) {
      log.warn({ pid, err: error }, 'PostgreSQL was still running, but does not answer; it is started anew');
    }
  } else {
    log.info({ pid }, 'PostgreSQL was started by another version of the overlord; it is started anew');
  }
  await stopPostmaster(postmaster, log);
  return null;
}

/** Starts the server and waits until it answers. Throws `no-space` or `start-failed` with what the server said. */
export async function launch(server: Server, log: DatabaseLog): Promise<Running> {
  await clearAfterDeath(server);
  await rotateLog(server.logFile);
  const output = await openLog(server.logFile);
  const { size: offset } = await stat(server.logFile);
  try {
    const child = spawn(server.programs.postgres, argumentsOf(server), {
      ...spawnOptions(server),
      // A session of its own: Ctrl-C and a closed terminal are ours to handle, and it goes on when we are killed.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error('it ended')));
    });
    // When it ends later, that is seen by who watches it.
    ended.catch(() => undefined);
    child.unref();
    const postmaster = await processAt(child.pid ?? 0, server.cluster);
    return await Promise.race([postmaster === null ? ended : answer(server, postmaster, log), ended]);
  } catch (error) {
    throw await startFailure(server, offset, error);
  } finally {
    await output.close();
  }
}

function argumentsOf({ clusterPath, socketFolder }: Server): string[] {
  return ['-D', clusterPath, ...settings(socketFolder)];
}

/** PostgreSQL notes how it was started: `program "argument" …`. */
async function wasStartedAs(server: Server): Promise<boolean> {
  const noted = await readFile(join(server.cluster, 'postmaster.opts'), 'utf8').catch(() => '');
  const argv = [server.programs.postgres, ...argumentsOf(server).map((argument) => `"${argument}"`)];
  return noted.trimEnd() === argv.join(' ');
}

/** Connects as soon as the server lets us. */
async function answer(server: Server, postmaster: Process, log: DatabaseLog): Promise<Running> {
  const started = performance.now();
  let told = started;
  for (let wait = 10; ; wait = Math.min(wait * 2, 250)) {
    try {
      return { postmaster, ...(await connect(server)) };
    } catch (error) {
      const now = performance.now();
      if (!(await isAlive(postmaster)) || now - started > DEADLINE) throw error;
      if (now - told > 10_000) {
        told = now;
        log.info({ waited: Math.round(now - started) }, 'PostgreSQL is not ready yet; it may be recovering');
      }
    }
    await sleep(wait);
  }
}

/** Resolves when we are connected, to a promise of when we are no longer. */
async function connect({ socketFolder }: Server): Promise<{ readonly lost: Promise<void> }> {
  const client = new pg.Client({
    connectionString: urlOf(socketFolder, 'postgres'),
    connectionTimeoutMillis: CONNECT_DEADLINE,
    query_timeout: CONNECT_DEADLINE,
    application_name: 'overlord supervisor',
  });
  const lost = new Promise<void>((resolve) => client.once('end', resolve));
  // An error is followed by the end; without a listener it would be ours.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rows.length === 0) await client.query(`create database ${DATABASE}`);
    return { lost };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function startFailure(server: Server, offset: number, error: unknown): Promise<DatabaseError> {
  const said = await complaints(server.logFile, offset);
  const reason = said === '' ? (error instanceof Error ? error.message : String(error)) : said;
  return new DatabaseError(
    {
      code: codeOf(reason),
      what: `PostgreSQL does not start: ${reason.replace(/\.$/, '')}`,
      where: server.cluster,
      remedy: `${server.logFile} says more.`,
    },
    { cause: error },
  );
}
