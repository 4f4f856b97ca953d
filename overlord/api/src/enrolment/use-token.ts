import type { Selectable, Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { hashToken } from '../operators/secret-token.ts';
import { ApiError } from '../server/api-error.ts';

export type Token = Selectable<Schema['enrolment_tokens']>;

/**
 * Takes one use of an enrolment token: of many devices at once, as many get in as it has uses. Throws
 * `unauthenticated` and `token-used`.
 */
export async function useToken(trx: Transaction<Schema>, text: string): Promise<Token> {
  const used = await trx
    .updateTable('enrolment_tokens')
    .set((eb) => ({ uses_left: eb('uses_left', '-', 1) }))
    .where('token_hash', '=', hashToken(text))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', new Date())
    .where('uses_left', '>', 0)
    .returningAll()
    .executeTakeFirst();
  if (used !== undefined) return used;
  const { revoked_at, expires_at } = await refuseUnknownToken(trx, text);
  if (revoked_at !== null) throw refused('The enrolment token was revoked');
  if (expires_at <= new Date()) throw refused('The enrolment token is over');
  throw refused('The enrolment token has been used as often as it may be', 'token-used');
}

/**
 * Throws `unauthenticated` for a token that we never gave out; one that is used up or over will do, as a device that
 * asks again for the answer that it lost has it. So nobody who has only seen a public key learns of its device.
 */
export async function refuseUnknownToken(
  trx: Transaction<Schema>,
  text: string,
): Promise<Pick<Token, 'expires_at' | 'revoked_at'>> {
  const found = await trx
    .selectFrom('enrolment_tokens')
    .select(['expires_at', 'revoked_at'])
    .where('token_hash', '=', hashToken(text))
    .executeTakeFirst();
  if (found === undefined) throw refused('There is no such enrolment token');
  return found;
}

function refused(what: string, code: 'unauthenticated' | 'token-used' = 'unauthenticated'): ApiError {
  const remedy = 'Make a new one: the page Enrol, or `fleet enrol token create`.';
  return new ApiError(code, what, { field: '/token', remedy });
}
