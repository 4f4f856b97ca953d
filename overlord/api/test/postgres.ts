import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import type { TestProject } from 'vitest/node';
import { inject } from 'vitest';
import { openDatabase, type Database } from '../src/db/database.ts';
import { startEmbedded } from '../src/db/embedded/embedded.ts';
import { migrate } from '../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server for all tests of one run; each makes databases of its own in it. */
    postgresUrl: string;
  }
}

export const MIGRATIONS = join(import.meta.dirname, '../../supabase/migrations');
export const SILENT = pino({ level: 'silent' });
const TEMPLATE = 'fleet_template';

/** Vitest's globalSetup: the embedded PostgreSQL, or the one that TEST_DATABASE_URL names (a superuser's URL). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined) {
    await makeTemplate(given);
    project.provide('postgresUrl', given);
    return () => Promise.resolve();
  }
  const folder = await mkdtemp(join(tmpdir(), 'fleet-pg-'));
  // As root the server runs as somebody else, who must be able to pass.
  await chmod(folder, 0o711);
  const embedded = await startEmbedded({ folder, log: SILENT });
  await makeTemplate(embedded.url);
  project.provide('postgresUrl', embedded.url);
  return async () => {
    await embedded.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

async function makeTemplate(url: string): Promise<void> {
  await admin(url, `drop database if exists ${TEMPLATE}`);
  await admin(url, `create database ${TEMPLATE}`);
  await migrate(databaseUrl(url, TEMPLATE), MIGRATIONS);
}

/** A migrated database of its own. */
export interface FreshDatabase extends Database {
  readonly url: string;
}

/** A migrated database with nothing in it; `close` drops it. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = inject('postgresUrl');
  const name = `fleet_${randomBytes(6).toString('hex')}`;
  await admin(server, `create database ${name} template ${TEMPLATE}`);
  const url = databaseUrl(server, name);
  const database = openDatabase({ url, log: SILENT, connections: 6 });
  return {
    ...database,
    url,
    async close() {
      await database.close();
      await admin(server, `drop database ${name} with (force)`);
    },
  };
}

function databaseUrl(server: string, name: string): string {
  return server.replace(/\/[^/?]*(\?|$)/, `/${name}$1`);
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Two tests at once: CREATE DATABASE refuses while another session uses the template.
    for (let tries = 0; ; tries += 1) {
      try {
        await client.query(statement);
        return;
      } catch (thrown) {
        if ((thrown as { code?: string }).code !== '55006' || tries > 100) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  } finally {
    await client.end();
  }
}
