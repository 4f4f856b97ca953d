import type { DeviceEvent } from '@metrica-fleet/protocol/api';
import type { Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';

/** What happened to a device here, at the overlord; its own reports come with the check-in. */
export async function addEvent(
  trx: Transaction<Schema>,
  {
    device,
    kind,
    text,
  }: { readonly device: string; readonly kind: DeviceEvent['kind']; readonly text: string },
): Promise<void> {
  await trx
    .insertInto('device_events')
    .values({
      device_id: device,
      report_id: null,
      at: new Date(),
      kind,
      role: null,
      commit: null,
      text,
      problem: null,
      log: null,
    })
    .execute();
}
