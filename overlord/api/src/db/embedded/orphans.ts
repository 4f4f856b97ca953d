import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseError } from '../database-error.ts';
import { hasEnded, processAt, send, type Process } from './postmaster.ts';
import type { Server } from './server.ts';

/** Children of a killed postmaster end by themselves, but only after the query that they are at. Milliseconds. */
const PATIENCE = 1_000;
const KILLED = 5_000;

/**
 * Makes sure that nothing of a postmaster that was killed works in the cluster any more: a second server beside its
 * children would ruin the data, and with its pid file gone PostgreSQL could not tell. Then removes the lock of its
 * socket, which a zombie's pid would keep alive. Throws `start-failed` when one of them cannot be ended.
 */
export async function clearAfterDeath({ cluster, socketFolder }: Server): Promise<void> {
  await endAllIn(cluster);
  await rm(join(socketFolder, '.s.PGSQL.5432.lock'), { force: true });
}

/** Ends every process of PostgreSQL that works in a folder, and those that they begin meanwhile. Throws `start-failed`. */
export async function endAllIn(folder: string): Promise<void> {
  for (let left = await orphans(folder); left.length > 0; left = await orphans(folder))
    await Promise.all(left.map((orphan) => end(orphan, folder)));
}

/** The next start recovers from the write-ahead log anyway, so that killing loses nothing that was committed. */
async function end(orphan: Process, cluster: string): Promise<void> {
  if (await hasEnded(orphan, PATIENCE)) return;
  await send(orphan, 'SIGKILL');
  if (await hasEnded(orphan, KILLED)) return;
  throw new DatabaseError({
    code: 'start-failed',
    what: `Process ${orphan.pid} of a former server still works in the database, and cannot be ended`,
    where: cluster,
    remedy: 'Its disk may hang; look at `dmesg`.',
  });
}

/** All processes of PostgreSQL that work in the cluster, as all of a server do. */
async function orphans(cluster: string): Promise<Process[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const found = await Promise.all(pids.map((pid) => processAt(pid, cluster)));
  return found.filter((process) => process !== null);
}
