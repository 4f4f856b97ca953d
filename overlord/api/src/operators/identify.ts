import type { Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import type { Identify } from '../server/guard.ts';
import { findApiToken } from './api-tokens.ts';
import { findSession } from './sessions.ts';

/** The cookie of a session. `__Host-`, which browsers tie to this host and to TLS, where there is TLS. */
export function sessionCookie(secure: boolean): string {
  return secure ? '__Host-fleet-session' : 'fleet-session';
}

const API_TOKEN = /^Bearer (mft_[A-Za-z0-9_-]{43})$/;

/** Looks for an operator's session or API token. Throws `unauthenticated` for one that is not valid (any more). */
export function identifyOperator(db: Kysely<Schema>): Identify {
  return async (request) => {
    const bearer = API_TOKEN.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) {
      const caller = await findApiToken(db, bearer, new Date());
      if (caller !== null) return caller;
      throw new ApiError('unauthenticated', 'The API token is unknown, revoked or over', {
        remedy: 'Make a new one under Settings.',
      });
    }
    const session = request.cookies[sessionCookie(isSecure(request.protocol))];
    if (session === undefined) return null;
    const caller = await findSession(db, session, new Date());
    if (caller !== null) return caller;
    throw new ApiError('unauthenticated', 'The session is over', { remedy: 'Sign in again.' });
  };
}

export function isSecure(protocol: string): boolean {
  return protocol === 'https';
}
