import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { connectionOf, placeOf } from './connection.ts';
import { DatabaseError } from './database-error.ts';

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** Any number, the same for all overlords (pg_advisory_xact_lock): two replicas migrate one after the other. */
const LOCK = 5_340_118;
/** A migration of a large table takes its time, and so does the wait for a replica that is at it. Milliseconds. */
const LIMIT = 1_800_000;

/**
 * Brings the schema up to date: every `*.sql` of `folder` in the order of the names, each in a transaction of its own.
 * Returns the names of those that were applied now. Works through poolers in transaction mode too. Throws
 * `migration-invalid` when one that was applied has been edited since, or a new one sorts before it; `database-newer`
 * when the database has one that `folder` does not; `migration-failed` with file and line; `unreachable`.
 */
export async function migrate(url: string, folder: string): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client(connectionOf(url, 'overlord migration'));
  // An error between two queries is thrown by the next one.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw unreachable(url, error);
  }
  try {
    const applied: string[] = [];
    for (;;) {
      const name = await inTransaction(client, () => applyNext(client, migrations));
      if (name === null) return applied;
      applied.push(name);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local statement_timeout = ${LIMIT}`);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** Applies the first one that is missing; null when there is none. Whoever holds the lock sees what others applied. */
async function applyNext(client: pg.Client, migrations: readonly Migration[]): Promise<string | null> {
  await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
  await makeRecord(client);
  const { rows } = await client.query<{ name: string; sha256: string }>(
    'select name, sha256 from schema_migrations order by name collate "C"',
  );
  requireKnown(rows, migrations);
  const next = migrations[rows.length];
  if (next === undefined) return null;
  await apply(client, next);
  await client.query('insert into schema_migrations (name, sha256) values ($1, $2)', [
    next.name,
    next.sha256,
  ]);
  return next.name;
}

/** The table of what was applied. On Supabase a table without row level security is open to the web. */
async function makeRecord(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ made: boolean }>(
    "select to_regclass('schema_migrations') is not null as made",
  );
  if (rows[0]?.made === true) return;
  await client.query(`create table schema_migrations (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
  await client.query('alter table schema_migrations enable row level security');
}

/** What was applied must be the beginning of what there is, unchanged. */
function requireKnown(rows: readonly Omit<Migration, 'sql'>[], migrations: readonly Migration[]): void {
  const unknown = rows
    .map(({ name }) => name)
    .filter((name) => !migrations.some((known) => known.name === name));
  if (unknown.length > 0) {
    throw new DatabaseError({
      code: 'database-newer',
      what: `The database belongs to a newer version of the overlord: it has ${unknown.join(', ')}`,
      remedy: 'Start that version.',
    });
  }
  for (const [index, { name, sha256 }] of rows.entries()) {
    const ours = migrations[index];
    if (ours?.name === name && ours.sha256 === sha256) continue;
    const changed = ours?.name === name;
    throw new DatabaseError({
      code: 'migration-invalid',
      what: changed
        ? `The migration ${name} was changed after this database had it`
        : `The migration ${ours?.name} comes before ${name}, which this database has already`,
      remedy: changed
        ? 'Restore the file, and put the change into a new one.'
        : 'Name it so that it sorts after all others.',
    });
  }
}

/** Runs the file in the transaction that is open, and makes sure that it still is. */
async function apply(client: pg.Client, { name, sql }: Migration): Promise<void> {
  const transaction = 'select pg_current_xact_id()::text as id';
  const before = await client.query<{ id: string }>(transaction);
  try {
    await client.query(sql);
  } catch (error) {
    throw failed(error, { name, sql });
  }
  const after = await client.query<{ id: string }>(transaction);
  if (before.rows[0]?.id === after.rows[0]?.id) return;
  throw new DatabaseError({
    code: 'migration-invalid',
    what: `The migration ${name} ends the transaction that it is run in, so that half of it can stay behind`,
    remedy: 'Remove its BEGIN, COMMIT or ROLLBACK, and restore the database from a backup.',
  });
}

function failed(error: unknown, { name, sql }: Pick<Migration, 'name' | 'sql'>): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const line = error.position === undefined ? '' : `:${lineOf(sql, Number(error.position))}`;
  return new DatabaseError(
    {
      code: 'migration-failed',
      what: `A migration failed, and was taken back: ${error.message}`,
      where: `${name}${line}`,
      remedy: 'The database is as it was before it.',
    },
    { cause: error },
  );
}

/** `position` counts characters from 1, as PostgreSQL does: those beyond 16 bits as one. */
function lineOf(sql: string, position: number): number {
  return (
    Array.from(sql)
      .slice(0, position - 1)
      .filter((character) => character === '\n').length + 1
  );
}

function unreachable(url: string, error: unknown): DatabaseError {
  return new DatabaseError(
    {
      code: 'unreachable',
      what: `The database does not let us in: ${error instanceof Error ? error.message : String(error)}`,
      where: placeOf(url),
      remedy: 'Check DATABASE_URL and DATABASE_DIRECT_URL, and that the server runs.',
    },
    { cause: error },
  );
}
