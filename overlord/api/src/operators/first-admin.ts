import { sql, type Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { hashToken, makeToken } from './secret-token.ts';

/** How long the link is good for. Milliseconds. A new one is printed at every start while there is no admin. */
const LIFE = 24 * 3_600_000;

/** The token of a one-time link for the first admin; null when there is an admin already. Former links end. */
export async function inviteFirstAdmin(db: Kysely<Schema>, now: Date): Promise<string | null> {
  return db.transaction().execute(async (trx) => {
    const admin = await trx
      .selectFrom('operators')
      .select('id')
      .where('role', '=', 'admin')
      .executeTakeFirst();
    if (admin !== undefined) return null;
    const token = makeToken('mfi');
    await trx.deleteFrom('invitations').execute();
    await trx
      .insertInto('invitations')
      .values({ token_hash: hashToken(token), expires_at: new Date(now.getTime() + LIFE) })
      .execute();
    return token;
  });
}

/** Uses the link up. False when it is unknown, over, or has been used: of two at once only one gets true. */
export async function acceptInvitation(db: Kysely<Schema>, token: string, now: Date): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('invitations')
    .where('token_hash', '=', hashToken(token))
    .where('expires_at', '>', now)
    .where(sql<boolean>`not exists (select from operators where role = 'admin')`)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
