import { sql, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';

/** Any number, the same for all overlords (pg_advisory_xact_lock). */
const LOCK = 5_340_122;
const LONGEST = 63;

/** From here to the end of the transaction no other device joins: names are given, and boards recognised, in turn. */
export async function oneAtATime(trx: Transaction<Schema>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx);
}

/** The wished name, or with the lowest number behind it that nobody has: `door`, `door-2`. */
export async function freeName(trx: Transaction<Schema>, wish: string): Promise<string> {
  const owner = await trx.selectFrom('devices').select('id').where('name', '=', wish).executeTakeFirst();
  if (owner === undefined) return wish;
  const rows = await trx
    .selectFrom('devices')
    .select('name')
    .where('name', 'like', `${wish.slice(0, LONGEST - 8)}%`)
    .execute();
  const taken = new Set(rows.map(({ name }) => name));
  for (let number = 2; ; number += 1) {
    const ending = `-${number}`;
    const name = `${wish.slice(0, LONGEST - ending.length)}${ending}`;
    if (!taken.has(name)) return name;
  }
}
