import type { Kysely } from 'kysely';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Schema } from '../../src/db/schema.ts';
import { Registry } from '../../src/devices/registry.ts';
import { openDatabase } from '../../src/db/database.ts';
import { freshDatabase, SILENT, type FreshDatabase } from '../postgres.ts';

let database: FreshDatabase;
let db: Kysely<Schema>;
let stop: AbortController;
let registry: Registry;
beforeEach(async () => {
  database = await freshDatabase();
  ({ db } = database);
  stop = new AbortController();
  registry = new Registry({ db, log: SILENT, signal: stop.signal });
});
afterEach(async () => {
  stop.abort();
  await database.close();
});

async function add(name: string): Promise<string> {
  const id = randomUUID();
  await db
    .insertInto('devices')
    .values({
      ...{ id, name, public_key: null, membership: 'active', role: 'door', site: 'shop', segment: 'early' },
      ...{ evidence: '{}', serial: null, token_id: null, enrolled_by: 'ada' },
    })
    .execute();
  return id;
}
const rename = (id: string, name: string) =>
  db.updateTable('devices').set({ name }).where('id', '=', id).execute();

it('knows all devices once it has read them, and only what it was told of after that', async () => {
  const id = await add('one');
  expect(registry.get(id)).toBeUndefined();
  await registry.refresh();
  const other = await add('two');
  expect(registry.get(id)).toEqual({
    ...{ id, name: 'one', membership: 'active', epoch: 1, role: 'door', site: 'shop', segment: 'early' },
    ...{ updatesOff: false, conflict: false },
  });
  expect(registry.get(other)).toBeUndefined();
  await registry.refresh(other);
  expect([...registry.all()].map(({ name }) => name)).toEqual(['one', 'two']);
});

it('forgets a device that has gone', async () => {
  const id = await add('one');
  await registry.refresh();
  await db.deleteFrom('devices').where('id', '=', id).execute();
  await registry.refresh(id);
  expect(registry.get(id)).toBeUndefined();
});

it('reads all for news about several', async () => {
  const ids = [await add('one'), await add('two')];
  await registry.refresh('');
  expect(ids.map((id) => registry.get(id)?.name)).toEqual(['one', 'two']);
});

it('knows what was committed before it was told, however much is read at the same time', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => add(`pi-${n}`)));
  await registry.refresh();
  const changes = ids.map(async (id, n) => {
    for (let round = 0; round < 10; round += 1) {
      const name = `pi-${n}-${round}`;
      await rename(id, name);
      await registry.refresh(round % 4 === 3 ? undefined : id);
      expect(registry.get(id)?.name).toBe(name);
    }
  });
  await Promise.all(changes);
});

it('is not led back by an answer that took longer than the next', async () => {
  const id = await add('old');
  const answers: (() => void)[] = [];
  const slow = db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      if (answers.length === 0) await new Promise<void>((resolve) => answers.push(resolve));
      return result;
    },
  });
  const patient = new Registry({ db: slow, log: SILENT, signal: stop.signal });
  const first = patient.refresh(id);
  await expect.poll(() => answers.length).toBe(1);
  await rename(id, 'new');
  const second = patient.refresh(id);
  const late = new Promise((resolve) => setTimeout(resolve, 100)).then(answers[0]);
  await Promise.all([first, second, late]);
  expect(patient.get(id)?.name).toBe('new');
});

it('tries again by itself when the database does not answer, and gives up when it is stopped', async () => {
  const id = await add('one');
  const nowhere = openDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none', log: SILENT });
  let current: Kysely<Schema> = nowhere.db;
  const ports = {
    get db() {
      return current;
    },
    log: SILENT,
    signal: stop.signal,
  };
  const patient = new Registry(ports);
  const known = patient.refresh(id);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(patient.get(id)).toBeUndefined();
  current = db;
  await known;
  expect(patient.get(id)?.name).toBe('one');
  current = nowhere.db;
  const never = patient.refresh();
  stop.abort();
  await never;
  await nowhere.close();
});
