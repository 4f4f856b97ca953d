import type { Status } from '@metrica-fleet/protocol';
import type { Order } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import type { Arrived } from './check-in.ts';
import { markCopies } from './copied-cards.ts';
import { finishOrders, takeOrders } from './deliver-orders.ts';
import type { DeviceFacts } from './registry.ts';
import { ONLINE } from './state-sql.ts';
import { writeReports } from './write-reports.ts';
import { writeFirst, writeSeen, writeStatuses, type ArrivedWithStatus } from './write-status.ts';

export interface CheckInWriter {
  readonly db: Kysely<Schema>;
  /** Deployment Control looks at what changed, in the same transaction. */
  readonly observe: (trx: Transaction<Schema>, seen: readonly SeenStatus[]) => Promise<void>;
}

/** A status that is not what it was. */
export interface SeenStatus {
  readonly device: DeviceFacts;
  readonly status: Status;
}

/** What became of one check-in. */
export interface Written {
  readonly orders: readonly Order[];
  /** People may see something new: a status, a report, an order that went out, or that it is online again. */
  readonly changed: boolean;
  readonly statusWanted: boolean;
}

/** What is on record of a device before its check-in is written. */
export interface Before {
  readonly bootId: string | null;
  readonly formerBootId: string | null;
  readonly hasStatus: boolean;
  readonly online: boolean;
}

/**
 * Writes a group of check-ins in one transaction, a statement a kind and not one a device: the seen, the changed, the
 * reports, the orders that go out. Whoever is answered is on the disk.
 */
export async function writeCheckIns(
  { db, observe }: CheckInWriter,
  arrived: readonly Arrived[],
): Promise<readonly Written[]> {
  const latest = latestOf(arrived);
  return db.transaction().execute(async (trx) => {
    const before = await look(trx, latest);
    const same = latest.filter(({ body }) => body.status === null);
    const changed = latest.filter(hasStatus);
    await writeSeen(
      trx,
      same.filter(({ device }) => before.has(device.id)),
    );
    await writeFirst(
      trx,
      same.filter(({ device }) => !before.has(device.id)),
    );
    await writeStatuses(trx, changed);
    await markCopies(trx, latest, before);
    await writeReports(trx, arrived, before);
    await finishOrders(trx, arrived);
    const orders = await takeOrders(
      trx,
      latest.map(({ device }) => device.id),
    );
    if (changed.length > 0) {
      await observe(
        trx,
        changed.map(({ device, body: { status } }) => ({ device, status })),
      );
    }
    const last = new Map(arrived.map(({ device }, index) => [device.id, index]));
    return arrived.map(({ device: { id }, body }, index) => ({
      // An order goes out once: of two requests of a device, the later is the one that it still listens to.
      orders: (last.get(id) === index ? orders.get(id) : undefined) ?? [],
      changed:
        body.status !== null || body.reports.length > 0 || before.get(id)?.online !== true || orders.has(id),
      statusWanted: body.status === null && before.get(id)?.hasStatus !== true,
    }));
  });
}

/**
 * One of each device, the last: a repeated request may share the group, and one statement may touch a row once only. In
 * the order of their ids, so that two groups with the same devices wait for each other instead of blocking each other.
 */
function latestOf(arrived: readonly Arrived[]): readonly Arrived[] {
  const byDevice = new Map<string, Arrived>();
  for (const one of arrived) {
    const status = one.body.status ?? byDevice.get(one.device.id)?.body.status ?? null;
    byDevice.set(one.device.id, { ...one, body: { ...one.body, status } });
  }
  return [...byDevice.values()].sort((a, b) => (a.device.id < b.device.id ? -1 : 1));
}

function hasStatus(arrived: Arrived): arrived is ArrivedWithStatus {
  return arrived.body.status !== null;
}

async function look(
  trx: Transaction<Schema>,
  arrived: readonly Arrived[],
): Promise<ReadonlyMap<string, Before>> {
  const ids = arrived.map(({ device }) => device.id);
  const rows = await trx
    .selectFrom('device_status')
    .select(['device_id', 'boot_id', 'former_boot_id'])
    .select(sql<boolean>`status is not null`.as('has_status'))
    .select(ONLINE.as('online'))
    .where(sql<boolean>`device_id = any(${ids}::uuid[])`)
    .execute();
  return new Map(
    rows.map(({ device_id, boot_id, former_boot_id, has_status, online }) => [
      device_id,
      { bootId: boot_id, formerBootId: former_boot_id, hasStatus: has_status, online },
    ]),
  );
}
