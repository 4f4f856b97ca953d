import type { Signal } from '@metrica-fleet/protocol/api';
import { sql, type Transaction } from 'kysely';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';

export interface WakeUp {
  readonly reason: Signal['reason'];
  /** Seconds within which the devices begin, each at a moment of its own. */
  readonly splay: number;
}

/** Any number, the same for all overlords (pg_advisory_xact_lock). */
const LOCK = 5_340_120;
/** Devices that may begin in one second: what a start costs us is a check-in and a bundle. */
const STARTS_PER_SECOND = 100;
const LONGEST_SPLAY = 600;

/** The splay for so many devices at once: none for a few, and never longer than ten minutes. Seconds. */
export function splayFor(devices: number): number {
  return devices <= STARTS_PER_SECOND ? 0 : Math.min(LONGEST_SPLAY, Math.ceil(devices / STARTS_PER_SECOND));
}

/**
 * Wakes devices when the transaction commits, if they listen, and as soon as they listen again for a day. Call it last
 * in a transaction: from here to its end other wake-ups wait, so that ids become visible in their order and a cursor
 * that has passed one has passed all before it.
 */
export async function wake(
  trx: Transaction<Schema>,
  deviceIds: readonly string[],
  { reason, splay }: WakeUp,
): Promise<void> {
  if (deviceIds.length === 0) return;
  await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx);
  await sql`insert into signals (device_id, reason, splay)
    select unnest(${deviceIds}::uuid[]), ${reason}, ${splay}`.execute(trx);
  await announce(trx, 'signals');
}
