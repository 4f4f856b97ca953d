import type { DeviceDetail, DeviceSummary } from '@metrica-fleet/protocol/api';
import type { Kysely, SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { timeOf, timeOrNull } from '../server/time.ts';
import { ONLINE, STATE } from './state-sql.ts';

interface SummaryRow {
  readonly id: string;
  readonly name: string;
  readonly membership: DeviceSummary['membership'];
  readonly state: DeviceSummary['state'];
  readonly role: string | null;
  readonly site: string | null;
  readonly segment: DeviceSummary['segment'];
  readonly running: string | null;
  readonly wanted: string | null;
  readonly problem: string | null;
  readonly seen_at: Date | null;
  readonly agent_version: string | null;
}

type Joined = Schema & {
  device_status: { [K in keyof Schema['device_status']]: Schema['device_status'][K] | null };
};

/** Devices with what they last said; without a select yet. */
export function joinedDevices(db: Kysely<Schema>) {
  return db.selectFrom('devices').leftJoin('device_status', 'device_status.device_id', 'devices.id');
}

/** Devices as the lists show them. */
export function deviceSummaries(
  db: Kysely<Schema>,
): SelectQueryBuilder<Joined, 'devices' | 'device_status', SummaryRow> {
  return joinedDevices(db)
    .select([
      'devices.id',
      'devices.name',
      'devices.membership',
      'devices.role',
      'devices.site',
      'devices.segment',
    ])
    .select([
      'device_status.commit as running',
      'device_status.wanted_commit as wanted',
      'device_status.problem',
    ])
    .select(['device_status.seen_at', 'device_status.agent_version'])
    .select(STATE.as('state'));
}

export function showSummary(row: SummaryRow): DeviceSummary {
  const {
    seen_at,
    agent_version,
    id,
    name,
    membership,
    state,
    role,
    site,
    segment,
    running,
    wanted,
    problem,
  } = row;
  return {
    id,
    name,
    membership,
    state,
    role,
    site,
    segment,
    running,
    wanted,
    problem,
    lastSeenAt: timeOrNull(seen_at),
    agentVersion: agent_version,
  };
}

/** One device, whole. Throws `not-found`. */
export async function showDevice(db: Kysely<Schema>, id: string): Promise<DeviceDetail> {
  const row = await deviceSummaries(db)
    .select([
      'devices.labels',
      'devices.updates_off',
      'devices.evidence',
      'devices.enrolled_at',
      'devices.enrolled_by',
    ])
    .select(['device_status.status'])
    .select(ONLINE.as('online'))
    .select(sql<boolean>`coalesce(device_status.connected_until > now(), false)`.as('connected'))
    .where('devices.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new ApiError('not-found', 'There is no such device');
  return {
    ...showSummary(row),
    labels: row.labels,
    updatesOff: row.updates_off,
    online: row.online,
    connected: row.connected,
    evidence: row.evidence,
    enrolledAt: timeOf(row.enrolled_at),
    enrolledBy: row.enrolled_by,
    status: row.status,
  };
}
