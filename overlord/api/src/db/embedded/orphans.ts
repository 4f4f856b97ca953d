import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './server.ts';

/** Children of a killed postmaster end by themselves, at the latest after the query that they are at. Milliseconds. */
const PATIENCE = 30_000;
const LOOK = 50;

/**
 * Waits until nothing of a postmaster that was killed works in the cluster any more: a second server beside its
 * children would ruin the data, and with its pid file gone PostgreSQL could not tell. Then removes the lock of its
 * socket, which a zombie's pid would keep alive. Throws when they do not end in time.
 */
export async function clearAfterDeath({ cluster, socketFolder }: Server): Promise<void> {
  for (let waited = 0; await worksIn(cluster); waited += LOOK) {
    if (waited >= PATIENCE) throw new Error(`processes of a former server still work in ${cluster}`);
    await sleep(LOOK);
  }
  await rm(join(socketFolder, '.s.PGSQL.5432.lock'), { force: true });
}

/** Whether any process of PostgreSQL has the cluster as its working directory, as all of a server have. */
async function worksIn(cluster: string): Promise<boolean> {
  const ours = await stat(cluster);
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const its = await stat(`/proc/${pid}/cwd`).catch(() => null);
    if (its === null || its.dev !== ours.dev || its.ino !== ours.ino) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'postgres') return true;
  }
  return false;
}
