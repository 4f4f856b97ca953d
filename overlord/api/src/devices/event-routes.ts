import type { DeviceEvent, OrderState } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import { addEvent } from './add-event.ts';
import { showDevice } from './device-rows.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  readonly wake: (trx: Transaction<Schema>, devices: readonly string[], reason: 'order') => Promise<void>;
}

type Routes = 'listDeviceEvents' | 'showRunLog' | 'createOrder' | 'listOrders';

const MINUTE = 60_000;
const DEFAULT_ORDER_MINUTES = 60;

/** A device's timeline, the logs of its runs, and the orders that people give it. */
export function eventRoutes({ db, wake }: Ports): HandlersOf<Routes> {
  return {
    listDeviceEvents: async ({ params: { id }, query }) => {
      const size = pageSize(query.limit);
      const before = decodeCursor(query.cursor, 1)?.[0];
      const rows = await selectEvents(db)
        .where('device_events.device_id', '=', id)
        .$if(before !== undefined, (builder) => builder.where('device_events.id', '<', String(before)))
        .orderBy('device_events.id', 'desc')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: (row) => [row.id], item: showEvent });
    },

    showRunLog: async ({ params: { id, event } }) => {
      const row = await db
        .selectFrom('device_events')
        .select('log')
        .where('device_id', '=', id)
        .where('id', '=', event)
        .executeTakeFirst();
      if (row === undefined || row.log === null) throw new ApiError('not-found', 'This event has no log');
      return { event, lines: row.log.split('\n') };
    },

    createOrder: async ({ params: { id }, body, caller, address }) => {
      const device = await showDevice(db, id);
      if (body.kind === 'restart-service' && body.service === undefined) {
        throw new ApiError('bad-request', 'Which service?', { field: '/service' });
      }
      if (device.membership !== 'active')
        throw new ApiError('conflict', `${device.name} is ${device.membership}`);
      const expires = new Date(Date.now() + (body.minutes ?? DEFAULT_ORDER_MINUTES) * MINUTE);
      return db.transaction().execute(async (trx) => {
        const row = await trx
          .insertInto('orders')
          .values({
            id: randomUUID(),
            device_id: id,
            kind: body.kind,
            service: body.service ?? null,
            created_by: caller.name,
            expires_at: expires,
            delivered_at: null,
            finished_at: null,
            ok: null,
            detail: null,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        const what = `${body.kind}${body.service === undefined ? '' : ` ${body.service}`}`;
        const subject = `device:${device.name}`;
        await recordAudit(trx, { actor: caller.name, action: 'order', subject, detail: what, address });
        await addEvent(trx, { device: id, kind: 'ordered', text: `${caller.name} ordered: ${what}` });
        await announce(trx, 'devices', id);
        await wake(trx, [id], 'order');
        return showOrder(row);
      });
    },

    listOrders: async ({ params: { id }, query }) => {
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 2);
      const rows = await db
        .selectFrom('orders')
        .selectAll()
        .select(sql<string>`created_at::text`.as('created_key'))
        .where('device_id', '=', id)
        .$if(after !== null, (builder) =>
          builder.where(sql<boolean>`(created_at, id) < (${after?.[0]}::timestamptz, ${after?.[1]}::uuid)`),
        )
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: (row) => [row.created_key, row.id], item: showOrder });
    },
  };
}

/** Events of devices with their names; without the logs, which are long. */
export function selectEvents(db: Kysely<Schema>) {
  return db
    .selectFrom('device_events')
    .innerJoin('devices', 'devices.id', 'device_events.device_id')
    .select(['device_events.id', 'device_events.at', 'device_events.kind', 'device_events.text'])
    .select(['device_events.device_id', 'devices.name', 'device_events.role', 'device_events.commit'])
    .select(['device_events.problem'])
    .select((eb) => eb('device_events.log', 'is not', null).as('has_log'));
}

type EventRow = Awaited<ReturnType<ReturnType<typeof selectEvents>['execute']>>[number];

export function showEvent(row: EventRow): DeviceEvent {
  return {
    id: row.id,
    at: timeOf(row.at),
    device: row.device_id,
    deviceName: row.name,
    kind: row.kind,
    role: row.role,
    commit: row.commit,
    text: row.text,
    problem: row.problem,
    hasLog: Boolean(row.has_log),
  };
}

function showOrder(row: Selectable<Schema['orders']>): OrderState {
  const { id, kind, service, created_by, created_at, expires_at, detail } = row;
  return {
    id,
    kind,
    service,
    state: stateOf(row),
    createdBy: created_by,
    createdAt: timeOf(created_at),
    expiresAt: timeOf(expires_at),
    detail,
  };
}

function stateOf({
  finished_at,
  ok,
  delivered_at,
  expires_at,
}: Selectable<Schema['orders']>): OrderState['state'] {
  if (finished_at !== null) return ok === true ? 'done' : 'failed';
  if (delivered_at !== null) return 'delivered';
  return expires_at <= new Date() ? 'expired' : 'queued';
}
