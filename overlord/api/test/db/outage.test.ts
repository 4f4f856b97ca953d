import { sql } from 'kysely';
import pg from 'pg';
import { expect, it } from 'vitest';
import { isOutage } from '../../src/db/outage.ts';
import { freshDatabase } from '../postgres.ts';

const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

it('blames the database when nothing answers, when it hangs up, and when it cancels', async () => {
  const database = await freshDatabase();
  const nobody = new pg.Client({ host: '127.0.0.1', port: 1 });
  expect(isOutage(await thrownBy(nobody.connect()))).toBe(true);
  const hangUp = sql`select pg_terminate_backend(pg_backend_pid())`.execute(database.db);
  expect(isOutage(await thrownBy(hangUp))).toBe(true);
  const cancelled = database.db.connection().execute(async (db) => {
    await sql`set statement_timeout = 10`.execute(db);
    await sql`select pg_sleep(5)`.execute(db);
  });
  expect(isOutage(await thrownBy(cancelled))).toBe(true);
  await database.close();
});

it('blames what was asked for values that are wrong, and our own bugs', async () => {
  const database = await freshDatabase();
  expect(isOutage(await thrownBy(sql`select 1/0`.execute(database.db)))).toBe(false);
  expect(isOutage(await thrownBy(sql`select 'x'::uuid`.execute(database.db)))).toBe(false);
  expect(isOutage(new TypeError('x is not a function'))).toBe(false);
  await database.close();
});
