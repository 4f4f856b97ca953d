import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Schema } from './schema.ts';

export interface DatabaseOptions {
  readonly url: string;
  /** For LISTEN, where `url` is a pooler in transaction mode. Default: `url`. */
  readonly directUrl?: string | undefined;
  readonly log: Logger;
  /** Connections. Default 12: more only queue inside a server with two cores. */
  readonly connections?: number;
}

/** The fleet's database: queries by kysely, and news by LISTEN. */
export interface Database {
  readonly db: Kysely<Schema>;
  /** Where LISTEN works. */
  readonly directUrl: string;
  close(): Promise<void>;
}

/** No query of ours takes this long; what does is stuck. Milliseconds. */
const QUERY_LIMIT = 30_000;

/** Opens the pool; connects when first asked. A lost connection is replaced at the next query. */
export function openDatabase({ url, directUrl, log, connections = 12 }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: QUERY_LIMIT,
    query_timeout: QUERY_LIMIT + 5_000,
    idle_in_transaction_session_timeout: QUERY_LIMIT,
    application_name: 'overlord',
    keepAlive: true,
  });
  pool.on('error', (error) =>
    log.warn({ code: (error as { code?: string }).code }, 'A database connection was lost'),
  );
  // The pool listens to idle connections alone: one that is cut in the middle of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return { db, directUrl: directUrl ?? url, close: () => db.destroy() };
}
