import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, type Change } from '../../src/db/announce.ts';
import { listen } from '../../src/db/listen.ts';
import { freshDatabase, SILENT, type FreshDatabase } from '../postgres.ts';

let database: FreshDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

it('tells listeners of a change when its transaction commits, and only then', async () => {
  const stop = new AbortController();
  const heard: Change[] = [];
  let listening: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (listening = resolve));
  const done = listen(
    database.url,
    { onChange: (change) => heard.push(change), onGap: listening },
    { log: SILENT, signal: stop.signal },
  );
  await ready;
  await database.db
    .transaction()
    .execute(async (trx) => {
      await announce(trx, 'rollouts', 'undone');
      throw new Error('back');
    })
    .catch(() => undefined);
  await database.db.transaction().execute((trx) => announce(trx, 'devices', 'done'));
  while (heard.length === 0) await sleep(10);
  expect(heard).toEqual([{ topic: 'devices', id: 'done' }]);
  stop.abort();
  await done;
});

it('listens again after the connection was cut, and says that there was a gap', async () => {
  const stop = new AbortController();
  const gaps: true[] = [];
  const done = listen(
    database.url,
    { onChange: () => undefined, onGap: () => void gaps.push(true) },
    { log: SILENT, signal: stop.signal },
  );
  while (gaps.length < 1) await sleep(10);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'overlord listener' and datname = current_database()`.execute(database.db);
  while (gaps.length < 2) await sleep(10);
  expect(gaps).toHaveLength(2);
  stop.abort();
  await done;
});
