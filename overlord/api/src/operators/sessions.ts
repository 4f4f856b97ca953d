import type { Kysely } from 'kysely';
import { randomBytes } from 'node:crypto';
import type { Schema } from '../db/schema.ts';
import type { OperatorCaller } from '../server/handler.ts';
import { hashToken, makeToken } from './secret-token.ts';

/** A working week: who signs in on Monday is still in on Friday. Milliseconds. */
const SESSION_LIFE = 7 * 24 * 3_600_000;

/** A session that has begun. The token goes into the cookie and nowhere else. */
export interface Begun {
  readonly token: string;
  readonly csrf: string;
  readonly expires: Date;
}

/** Begins a session, and clears away those that are over. */
export async function beginSession(db: Kysely<Schema>, operator: string, now: Date): Promise<Begun> {
  const token = makeToken('mfs');
  const csrf = randomBytes(24).toString('base64url');
  const expires = new Date(now.getTime() + SESSION_LIFE);
  await db.deleteFrom('sessions').where('expires_at', '<', now).execute();
  await db
    .insertInto('sessions')
    .values({ token_hash: hashToken(token), operator_id: operator, csrf, expires_at: expires })
    .execute();
  return { token, csrf, expires };
}

/** Whose session it is; null when there is none (any more), or its operator has been disabled. */
export async function findSession(
  db: Kysely<Schema>,
  token: string,
  now: Date,
): Promise<OperatorCaller | null> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('operators', 'operators.id', 'sessions.operator_id')
    .select(['operators.id', 'operators.name', 'operators.role', 'sessions.csrf'])
    .where('sessions.token_hash', '=', hashToken(token))
    .where('sessions.expires_at', '>', now)
    .where('operators.disabled', '=', false)
    .executeTakeFirst();
  return row === undefined ? null : { kind: 'operator', ...row };
}

export async function endSession(db: Kysely<Schema>, token: string): Promise<void> {
  await db.deleteFrom('sessions').where('token_hash', '=', hashToken(token)).execute();
}

/** Ends all sessions of an operator: with a new password, or when it is disabled. */
export async function endSessionsOf(db: Kysely<Schema>, operator: string): Promise<void> {
  await db.deleteFrom('sessions').where('operator_id', '=', operator).execute();
}
