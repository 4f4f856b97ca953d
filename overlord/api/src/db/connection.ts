import type { ClientConfig } from 'pg';
import { DatabaseError } from './database-error.ts';

/** A connection that nobody answers for. Milliseconds. */
const CONNECT_LIMIT = 10_000;

/**
 * What every connection of ours has in common. `purpose` is what `pg_stat_activity` shows. Throws `url-invalid`, without
 * the URL, which holds a password.
 */
export function connectionOf(url: string, purpose: string): ClientConfig {
  placeOf(url);
  return {
    connectionString: url,
    application_name: purpose,
    connectionTimeoutMillis: CONNECT_LIMIT,
    // A peer that vanished while nothing was said is noticed within half a minute.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** Host and database of a URL, for logs and errors. Throws `url-invalid`. */
export function placeOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new DatabaseError({
      code: 'url-invalid',
      what: 'The URL of the database cannot be read',
      remedy:
        'DATABASE_URL and DATABASE_DIRECT_URL look like postgresql://user:password@host:5432/database, ' +
        'with special characters of the password written as %40 and the like.',
    });
  }
  return `${parsed.searchParams.get('host') ?? parsed.host}${parsed.pathname}`;
}
