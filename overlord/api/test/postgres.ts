import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import type { TestProject } from 'vitest/node';
import { inject } from 'vitest';
import { openDatabase, type Database } from '../src/db/database.ts';
import { startEmbedded } from '../src/db/embedded/embedded.ts';
import { findPostmaster } from '../src/db/embedded/postmaster.ts';
import { stopPostmaster } from '../src/db/embedded/stop.ts';
import { migrate } from '../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server for all tests of one run, and the migrated database in it that each copies for itself. */
    postgres: { readonly url: string; readonly template: string };
  }
}

export const MIGRATIONS = join(import.meta.dirname, '../../supabase/migrations');
export const SILENT = pino({ level: 'silent' });
const PREFIX = 'fleet-test-postgres-';

/** Vitest's globalSetup: the embedded PostgreSQL, or the one that TEST_DATABASE_URL names (of a user that may CREATEDB). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  const server = given === undefined ? await ownServer() : { url: given, stop: () => Promise.resolve() };
  const template = `fleet_template_${randomBytes(6).toString('hex')}`;
  try {
    await admin(server.url, `create database ${template}`);
    await migrate(databaseUrl(server.url, template), MIGRATIONS);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('postgres', { url: server.url, template });
  return async () => {
    await admin(server.url, `drop database ${template}`);
    await server.stop();
  };
}

async function ownServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // As root the server runs as somebody else, who must be able to pass.
  await chmod(folder, 0o711);
  const embedded = await startEmbedded({ folder, log: SILENT });
  return {
    url: embedded.url,
    async stop() {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Servers outlive who started them; these are of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX) || isRunning(Number.parseInt(name.slice(PREFIX.length), 10))) continue;
    const folder = join(tmpdir(), name);
    const server = await findPostmaster(join(folder, 'cluster'));
    if (server !== null) await stopPostmaster(server, SILENT);
    // Another user's is for that user to remove.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** A migrated database of its own. */
export interface FreshDatabase extends Database {
  readonly url: string;
}

/** A migrated database with nothing in it; `close` drops it. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { url, drop } = await createDatabase(inject('postgres').template);
  const database = openDatabase({ url, log: SILENT, connections: 6 });
  return {
    ...database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** A database without even a schema. */
export function emptyDatabase(): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  return createDatabase('template0');
}

async function createDatabase(template: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const { url: server } = inject('postgres');
  const name = `fleet_${randomBytes(6).toString('hex')}`;
  await admin(server, `create database ${name} template ${template}`);
  return {
    url: databaseUrl(server, name),
    drop: () => admin(server, `drop database ${name} with (force)`),
  };
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
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
