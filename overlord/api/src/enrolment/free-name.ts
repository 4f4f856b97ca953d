import { sql, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';

/** Any number, the same for all overlords (pg_advisory_xact_lock). */
const LOCK = 5_340_119;
const LONGEST = 63;

/** The wished name, or with the lowest number behind it that nobody has: `door`, `door-2`. Held until the transaction ends. */
export async function freeName(trx: Transaction<Schema>, wish: string): Promise<string> {
  await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx);
  const rows = await trx
    .selectFrom('devices')
    .select('name')
    .where((eb) => eb.or([eb('name', '=', wish), eb('name', 'like', `${wish.slice(0, LONGEST - 8)}-%`)]))
    .execute();
  const taken = new Set(rows.map(({ name }) => name));
  if (!taken.has(wish)) return wish;
  for (let number = 2; ; number += 1) {
    const ending = `-${number}`;
    const name = `${wish.slice(0, LONGEST - ending.length)}${ending}`;
    if (!taken.has(name)) return name;
  }
}
