import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { connectionOf } from './connection.ts';
import type { DatabaseLog } from './log.ts';
import type { Schema } from './schema.ts';

export interface DatabaseOptions {
  readonly url: string;
  /** For LISTEN, where `url` is a pooler in transaction mode. Default: `url`. */
  readonly directUrl?: string | undefined;
  readonly log: DatabaseLog;
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
/** The server ends a query itself, and tells us so; this is for a server that says nothing any more. Milliseconds. */
const SILENCE_LIMIT = QUERY_LIMIT + 5_000;

/** Opens the pool; connects when first asked. A lost connection is replaced at the next query. Throws `url-invalid`. */
export function openDatabase({ url, directUrl, log, connections = 12 }: DatabaseOptions): Database {
  // Poolers like PgBouncer refuse connections that bring settings, and would mix them up between clients.
  const direct = directUrl === undefined || directUrl === url;
  const pool = new pg.Pool({
    ...connectionOf(url, 'overlord'),
    max: connections,
    idleTimeoutMillis: 60_000,
    query_timeout: SILENCE_LIMIT,
    ...(direct ? { statement_timeout: QUERY_LIMIT, idle_in_transaction_session_timeout: QUERY_LIMIT } : {}),
  });
  pool.on('error', (error) =>
    log.warn({ code: (error as { code?: string }).code }, 'A database connection was lost'),
  );
  // The pool listens to idle connections alone: one that is cut in the middle of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: withoutStuckConnections(pool) }) });
  return { db, directUrl: directUrl ?? url, close: () => db.destroy() };
}

/**
 * pg gives up a query that nobody answers, but keeps its connection, on which the next query would wait behind it: for
 * a quarter of an hour when the server's machine is gone. Such a connection is closed instead.
 */
function withoutStuckConnections(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      let stuck = false;
      const query = async (sql: string, parameters: readonly unknown[]): Promise<pg.QueryResult> => {
        if (stuck) throw new Error('Connection given up: the query before was not answered');
        try {
          return await client.query(sql, [...parameters]);
        } catch (error) {
          stuck = (error as Error).message === 'Query read timeout';
          throw error;
        }
      };
      // The other way to call it, with a cursor, is for dialects that were given one.
      return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release(stuck) };
    },
    end: () => pool.end(),
  };
}
