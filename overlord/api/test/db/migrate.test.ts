import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { emptyDatabase, MIGRATIONS } from '../postgres.ts';
import { query } from './overlord-process.ts';

let folder: string;
let url: string;
let drop: () => Promise<void>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-migrations-'));
  ({ url, drop } = await emptyDatabase());
});
afterEach(async () => {
  await drop();
  await rm(folder, { recursive: true });
});

async function file(name: string, sql: string): Promise<void> {
  await writeFile(join(folder, name), sql);
}

async function applied(): Promise<string[]> {
  const rows: { name: string }[] = await query(url, 'select name from schema_migrations order by name');
  return rows.map(({ name }) => name);
}

it('applies what is there in the order of the names, once, and passes over what is no SQL', async () => {
  await file('0002_more.sql', "insert into words values ('second');");
  await file('0001_words.sql', "create table words (word text);\ninsert into words values ('first');");
  await file('README.md', 'not SQL');
  expect(await migrate(url, folder)).toEqual(['0001_words.sql', '0002_more.sql']);
  expect(await migrate(url, folder)).toEqual([]);
  await file('0003_again.sql', "insert into words values ('third');");
  expect(await migrate(url, folder)).toEqual(['0003_again.sql']);
  expect(await query(url, 'select word from words')).toEqual([
    { word: 'first' },
    { word: 'second' },
    { word: 'third' },
  ]);
});

it('takes a failed file back whole, names the line, and keeps those before it', async () => {
  await file('0001_words.sql', 'create table words (word text);');
  await file('0002_broken.sql', '-- «Größe»\ncreate table half ();\n\nselect no_such_column\nfrom words;');
  await expect(migrate(url, folder)).rejects.toThrow(
    'A migration failed, and was taken back: column "no_such_column" does not exist (0002_broken.sql:4)',
  );
  expect(await applied()).toEqual(['0001_words.sql']);
  expect(await query(url, "select to_regclass('half') as half")).toEqual([{ half: null }]);
  await file('0002_broken.sql', 'create table half ();');
  expect(await migrate(url, folder)).toEqual(['0002_broken.sql']);
});

it('refuses a file that was changed after it was applied', async () => {
  await file('0001_words.sql', 'create table words (word text);');
  await migrate(url, folder);
  await file('0001_words.sql', 'create table words (word text, length integer);');
  await file('0002_more.sql', 'create table more ();');
  await expect(migrate(url, folder)).rejects.toThrow(
    /^The migration 0001_words\.sql was changed after this database had it\. Restore the file/,
  );
  expect(await applied()).toEqual(['0001_words.sql']);
});

it('refuses a new file that sorts before one that was applied', async () => {
  await file('0002_words.sql', 'create table words (word text);');
  await migrate(url, folder);
  await file('0001_late.sql', 'create table late ();');
  await expect(migrate(url, folder)).rejects.toThrow(
    /^The migration 0001_late\.sql comes before 0002_words\.sql, which this database has already/,
  );
});

it('refuses a database of a newer version before it changes anything', async () => {
  await file('0001_words.sql', 'create table words (word text);');
  await file('0002_future.sql', 'create table future ();');
  await migrate(url, folder);
  await rm(join(folder, '0002_future.sql'));
  await file('0003_ours.sql', 'create table ours ();');
  await expect(migrate(url, folder)).rejects.toThrow(
    /^The database belongs to a newer version of the overlord: it has 0002_future\.sql\. Start that version/,
  );
  expect(await query(url, "select to_regclass('ours') as ours")).toEqual([{ ours: null }]);
});

it('refuses a file that ends the transaction that it is run in', async () => {
  await file('0001_words.sql', 'create table words (word text);\ncommit;\ncreate table more ();');
  await expect(migrate(url, folder)).rejects.toThrow(/^The migration 0001_words\.sql ends the transaction/);
});

it('applies each file once when several overlords begin on a new database', async () => {
  await file('0001_words.sql', 'create table words (word text); select pg_sleep(0.2);');
  await file('0002_more.sql', "insert into words values ('once');");
  const all = await Promise.all(Array.from({ length: 5 }, () => migrate(url, folder)));
  expect(all.flat().sort()).toEqual(['0001_words.sql', '0002_more.sql']);
  expect(await query(url, 'select word from words')).toEqual([{ word: 'once' }]);
});

it('closes its record to the web, which Supabase opens to every table without row level security', async () => {
  await migrate(url, folder);
  expect(
    await query(url, "select relrowsecurity from pg_class where oid = 'schema_migrations'::regclass"),
  ).toEqual([{ relrowsecurity: true }]);
});

it('makes the schema of the fleet, and finds it whole the next time', async () => {
  await cp(MIGRATIONS, folder, { recursive: true });
  expect(await migrate(url, folder)).toContain('0001_fleet.sql');
  expect(await migrate(url, MIGRATIONS)).toEqual([]);
});

it('says where nobody answers, and nothing of the password', async () => {
  const failure = await migrate('postgres://fleet:s3cret@127.0.0.1:1/fleet', folder).catch(String);
  expect(failure).toMatch(
    /does not let us in: .*ECONNREFUSED.* \(127\.0\.0\.1:1\/fleet\)\. Check DATABASE_URL/,
  );
  expect(failure).not.toContain('s3cret');
});
