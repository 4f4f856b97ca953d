import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** Any number, the same for all overlords (pg_advisory_xact_lock): two replicas migrate one after the other. */
const LOCK = 5_340_118;

/**
 * Brings the schema up to date: every `*.sql` of `folder` in the order of the names, each in a transaction of its own.
 * Returns the names of those that were applied now. Throws when one that was applied has been edited since, and when
 * the database has one that `folder` does not: it belongs to a newer version.
 */
export async function migrate(url: string, folder: string): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({ connectionString: url, application_name: 'overlord migration' });
  await client.connect();
  try {
    await client.query(`create table if not exists schema_migrations (
      name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
    const applied: string[] = [];
    for (const migration of migrations) if (await apply(client, migration)) applied.push(migration.name);
    await refuseNewer(client, migrations);
    return applied;
  } finally {
    await client.end();
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

async function apply(client: pg.Client, { name, sql, sha256 }: Migration): Promise<boolean> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    const { rows } = await client.query<{ sha256: string }>(
      'select sha256 from schema_migrations where name = $1',
      [name],
    );
    const before = rows[0]?.sha256;
    if (before !== undefined && before !== sha256) {
      throw new Error(
        `The migration ${name} was changed after this database had it. ` +
          'Restore the file, and put the change into a new one.',
      );
    }
    if (before === undefined) {
      await client.query(sql);
      await client.query('insert into schema_migrations (name, sha256) values ($1, $2)', [name, sha256]);
    }
    await client.query('commit');
    return before === undefined;
  } catch (thrown) {
    await client.query('rollback').catch(() => undefined);
    throw thrown;
  }
}

async function refuseNewer(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select name from schema_migrations order by name');
  const unknown = rows
    .map(({ name }) => name)
    .filter((name) => !migrations.some((known) => known.name === name));
  if (unknown.length === 0) return;
  throw new Error(
    `The database belongs to a newer version of the overlord: it has ${unknown.join(', ')}. Start that version.`,
  );
}
