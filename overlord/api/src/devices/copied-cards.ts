import type { Transaction } from 'kysely';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { addEvent } from './add-event.ts';
import type { Arrived } from './check-in.ts';
import type { Before } from './write-check-ins.ts';

/**
 * Two boards that run copies of one card check in as one device, in turn. A boot id is made at random at each start: one
 * that comes back after another is of a second board, which never stopped running.
 */
export async function markCopies(
  trx: Transaction<Schema>,
  arrived: readonly Arrived[],
  before: ReadonlyMap<string, Before>,
): Promise<void> {
  for (const { device, body } of arrived) {
    const known = before.get(device.id);
    if (device.conflict || known === undefined) continue;
    if (known.bootId === body.bootId || known.formerBootId !== body.bootId) continue;
    await markCopied(trx, device.id, 'Two boards check in as this device in turn: its card was copied');
  }
}

/** Marks a device as one that several boards claim to be, until an operator approves it again or revokes it. */
export async function markCopied(trx: Transaction<Schema>, device: string, text: string): Promise<void> {
  const marked = await trx
    .updateTable('devices')
    .set({ conflict: true })
    .where('id', '=', device)
    .where('conflict', '=', false)
    .returning('id')
    .executeTakeFirst();
  if (marked === undefined) return;
  await addEvent(trx, { device, kind: 'changed', text });
  await announce(trx, 'devices', device);
}
