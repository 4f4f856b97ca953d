import type { Topic } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** Channel on which replicas tell each other what changed. */
export const CHANGES = 'fleet_changes';

/**
 * What changed, as told between replicas: a topic of the dashboard, or something that only we care about. `states`:
 * devices may look different now, by a check-in or a stream; `id` names up to STATES_LIMIT of them, with spaces between.
 */
export type ChangeTopic = Topic | 'signals' | 'decisions' | 'states';

/** Devices in one piece of news; the payload of NOTIFY ends at 8,000 bytes. */
export const STATES_LIMIT = 150;

export interface Change {
  readonly topic: ChangeTopic;
  /** Of the device, rollout or release; empty: several, look at all. */
  readonly id: string;
}

/**
 * Tells all replicas, this one too, when and only when the transaction commits. Not for the check-in's hot path: every
 * NOTIFY takes a lock that is one for the whole server.
 */
export async function announce(
  db: Kysely<Schema> | Transaction<Schema>,
  topic: ChangeTopic,
  id = '',
): Promise<void> {
  await sql`select pg_notify(${CHANGES}, ${JSON.stringify({ topic, id } satisfies Change)})`.execute(db);
}
