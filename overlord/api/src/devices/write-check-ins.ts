import type { Problem, Status } from '@metrica-fleet/protocol';
import type { Order, Report } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { timeOf } from '../server/time.ts';
import type { Arrived } from './check-in.ts';
import { sentenceOf } from './report-text.ts';

/** Of agents that do not say it. Seconds. */
const CHECK_IN_INTERVAL = 300;

export interface CheckInWriter {
  readonly db: Kysely<Schema>;
  /** Deployment Control looks at what changed, in the same transaction. */
  readonly observe: (trx: Transaction<Schema>, seen: readonly SeenStatus[]) => Promise<void>;
}

/** A status that is not what it was. */
export interface SeenStatus {
  readonly device: string;
  readonly role: string | null;
  readonly status: Status;
}

/** What became of one check-in. */
export interface Written {
  readonly orders: readonly Order[];
  /** The status, or that it was ever heard of, is new. */
  readonly changed: boolean;
  readonly statusWanted: boolean;
}

/**
 * Writes a group of check-ins in one transaction, a statement a kind and not one a device: the seen, the changed, the
 * reports, the orders that go out. Whoever is answered is on the disk.
 */
export async function writeCheckIns(
  ports: CheckInWriter,
  arrived: readonly Arrived[],
): Promise<readonly Written[]> {
  return ports.db.transaction().execute(async (trx) => {
    const known = await touch(trx, latest(arrived));
    const changed = latest(arrived.filter(({ body }) => body.status !== null));
    await upsert(trx, changed);
    await insertReports(trx, arrived);
    const orders = await takeOrders(trx, arrived);
    const seen = changed.map(({ device, body }) => ({
      device: device.id,
      role: device.role,
      status: body.status,
    }));
    if (seen.length > 0) await ports.observe(trx, seen as readonly SeenStatus[]);
    return arrived.map(({ device, body }) => ({
      orders: orders.get(device.id) ?? [],
      changed: body.status !== null,
      statusWanted: body.status === null && known.get(device.id) !== true,
    }));
  });
}

/** The last of each device: a repeated request may share the group, and one statement may touch a row once only. */
function latest(arrived: readonly Arrived[]): readonly Arrived[] {
  return [...new Map(arrived.map((one) => [one.device.id, one])).values()];
}

/** Marks them as seen; tells which have a status on record. HOT: no index is on what changes. */
async function touch(
  trx: Transaction<Schema>,
  arrived: readonly Arrived[],
): Promise<ReadonlyMap<string, boolean>> {
  const { rows } = await sql<{ readonly device_id: string; readonly known: boolean }>`
    update device_status set seen_at = new.at, boot_id = new.boot, position = new.position
    from unnest(
      ${arrived.map(({ device }) => device.id)}::uuid[], ${arrived.map(({ at }) => at)}::timestamptz[],
      ${arrived.map(({ body }) => body.bootId)}::text[], ${arrived.map(({ body }) => body.position)}::text[]
    ) as new (id, at, boot, position)
    where device_id = new.id
    returning device_id, status is not null as known`.execute(trx);
  return new Map(rows.map(({ device_id, known }) => [device_id, known]));
}

async function upsert(trx: Transaction<Schema>, arrived: readonly Arrived[]): Promise<void> {
  if (arrived.length === 0) return;
  const rows = arrived.map(({ device, body, at }) => {
    const status = body.status as Status;
    const [problem] = status.problems;
    return {
      device_id: device.id,
      seen_at: at,
      connected_until: null,
      check_in_interval: status.interval ?? CHECK_IN_INTERVAL,
      boot_id: body.bootId,
      position: body.position,
      health: status.health,
      role: status.running?.role ?? null,
      commit: status.running?.commit ?? null,
      wanted_commit: status.wanted?.commit ?? null,
      update_state: status.state,
      problem_code: problem?.code ?? null,
      problem: problem === undefined ? null : `${problem.what.replace(/\.$/, '')}.`.slice(0, 1_000),
      agent_version: status.agentVersion.slice(0, 64),
      since: at,
      status: JSON.stringify(status),
    };
  });
  await trx
    .insertInto('device_status')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('device_id').doUpdateSet((eb) => ({
        seen_at: eb.ref('excluded.seen_at'),
        check_in_interval: eb.ref('excluded.check_in_interval'),
        boot_id: eb.ref('excluded.boot_id'),
        position: eb.ref('excluded.position'),
        health: eb.ref('excluded.health'),
        role: eb.ref('excluded.role'),
        commit: eb.ref('excluded.commit'),
        wanted_commit: eb.ref('excluded.wanted_commit'),
        update_state: eb.ref('excluded.update_state'),
        problem_code: eb.ref('excluded.problem_code'),
        problem: eb.ref('excluded.problem'),
        agent_version: eb.ref('excluded.agent_version'),
        since: sql<Date>`case when device_status.health is distinct from excluded.health
          or device_status.problem_code is distinct from excluded.problem_code
          then excluded.since else device_status.since end`,
        status: eb.ref('excluded.status'),
      })),
    )
    .execute();
}

/** Each report once, however often it is delivered; with what it says about orders. */
async function insertReports(trx: Transaction<Schema>, arrived: readonly Arrived[]): Promise<void> {
  const reports = arrived.flatMap(({ device, body }) =>
    body.reports.map((report) => ({ device: device.id, report })),
  );
  if (reports.length === 0) return;
  await trx
    .insertInto('device_events')
    .values(reports.map(eventOf))
    .onConflict((conflict) => conflict.columns(['device_id', 'report_id']).doNothing())
    .execute();
  for (const { device, report } of reports) {
    if (report.kind !== 'order' || report.order === undefined) continue;
    await trx
      .updateTable('orders')
      .set({ finished_at: new Date(report.at), ok: report.ok ?? false, detail: report.detail ?? null })
      .where('id', '=', report.order)
      .where('device_id', '=', device)
      .where('finished_at', 'is', null)
      .execute();
  }
}

function eventOf({ device, report }: { readonly device: string; readonly report: Report }) {
  const problem: Problem | undefined = report.problem;
  return {
    device_id: device,
    report_id: report.id,
    at: new Date(report.at),
    kind: report.kind,
    role: report.role ?? null,
    commit: report.commit ?? null,
    text: sentenceOf(report),
    problem: problem === undefined ? null : JSON.stringify(problem),
    log: report.log ?? null,
  };
}

/** Orders that go out with this answer: marked as delivered before they are sent, so that none goes out twice. */
async function takeOrders(
  trx: Transaction<Schema>,
  arrived: readonly Arrived[],
): Promise<ReadonlyMap<string, readonly Order[]>> {
  const now = new Date();
  const rows = await trx
    .updateTable('orders')
    .set({ delivered_at: now })
    .where('device_id', 'in', [...new Set(arrived.map(({ device }) => device.id))])
    .where('delivered_at', 'is', null)
    .where('finished_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'device_id', 'kind', 'service', 'expires_at', 'created_at'])
    .execute();
  const sorted = rows.sort((a, b) => a.created_at.getTime() - b.created_at.getTime());
  const byDevice = new Map<string, Order[]>();
  for (const { id, device_id, kind, service, expires_at } of sorted) {
    const order: Order = { id, kind, ...(service === null ? {} : { service }), expires: timeOf(expires_at) };
    byDevice.set(device_id, [...(byDevice.get(device_id) ?? []), order]);
  }
  return byDevice;
}
