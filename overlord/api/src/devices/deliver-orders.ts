import type { Order } from '@metrica-fleet/protocol/api';
import { sql, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { timeOf } from '../server/time.ts';
import type { Arrived } from './check-in.ts';
import { jsonText } from './json-text.ts';

/** Closes the orders of which devices report that they are done, or could not be. The first word on an order counts. */
export async function finishOrders(trx: Transaction<Schema>, arrived: readonly Arrived[]): Promise<void> {
  const finished = arrived.flatMap(({ device, body, at }) =>
    body.reports.flatMap(({ kind, order, ok = false, detail = null }) =>
      kind === 'order' && order !== undefined ? [{ id: order, device_id: device.id, at, ok, detail }] : [],
    ),
  );
  if (finished.length === 0) return;
  const first = new Map(finished.toReversed().map((one) => [one.id, one]));
  await sql`
    update orders set finished_at = new.at, ok = new.ok, detail = new.detail
    from json_to_recordset(${jsonText([...first.values()])}::json)
      as new (id uuid, device_id uuid, at timestamptz, ok boolean, detail text)
    where orders.id = new.id and orders.device_id = new.device_id and orders.finished_at is null`.execute(
    trx,
  );
}

/**
 * The orders that go out with the answers, oldest first. They are marked as delivered before they are sent: one that is
 * lost on the way is given again by a person, not by us, so that no device reboots twice.
 */
export async function takeOrders(
  trx: Transaction<Schema>,
  devices: readonly string[],
): Promise<ReadonlyMap<string, readonly Order[]>> {
  const now = new Date();
  const rows = await trx
    .updateTable('orders')
    .set({ delivered_at: now })
    .where(sql<boolean>`device_id = any(${devices}::uuid[])`)
    .where('delivered_at', 'is', null)
    .where('finished_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'device_id', 'kind', 'service', 'expires_at', 'created_at'])
    .execute();
  const byDevice = new Map<string, Order[]>();
  for (const row of rows.sort((a, b) => a.created_at.getTime() - b.created_at.getTime())) {
    const { id, device_id, kind, service, expires_at } = row;
    const order: Order = { id, kind, ...(service === null ? {} : { service }), expires: timeOf(expires_at) };
    byDevice.set(device_id, [...(byDevice.get(device_id) ?? []), order]);
  }
  return byDevice;
}
