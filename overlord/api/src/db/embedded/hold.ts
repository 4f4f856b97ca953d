import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

/** That nobody else uses this database: a lock on a connection of its own, so that it dies with its holder. */
export interface Hold {
  release(): Promise<void>;
}

/** Any number, the same for all overlords (pg_advisory_lock). */
const LOCK = 5_340_117;
/** The lock of a killed overlord goes away when the server notices that its connection has ended. Milliseconds. */
const PATIENCE = 3_000;

/** Takes the lock. Throws when another overlord holds it, with its process. */
export async function holdFolder(url: string, folder: string): Promise<Hold> {
  const client = new pg.Client({ connectionString: url, application_name: `overlord ${process.pid}` });
  client.on('error', () => undefined);
  await client.connect();
  for (let waited = 0; ; waited += 100) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [LOCK]);
    if (rows[0]?.got === true) return { release: () => client.end().catch(() => undefined) };
    if (waited >= PATIENCE) break;
    await sleep(100);
  }
  const { rows } = await client.query<{ application_name: string }>(
    `select application_name from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and objid = $1 and granted`,
    [LOCK],
  );
  await client.end();
  throw new Error(
    `Another ${rows[0]?.application_name ?? 'overlord'} uses ${folder}. ` +
      'Stop that process first, or choose another data folder with --data.',
  );
}
