import { SEGMENTS } from '@metrica-fleet/protocol/api';
import { SHARE_SCALE } from '@metrica-fleet/protocol';
import { sql, type RawBuilder, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ONLINE } from '../devices/state-sql.ts';
import type { OpenRow } from './open-row.ts';

/**
 * Devices of a role that take part in its rollouts; `f` is what devices/<name>.yaml says. Without coalesce(), of which
 * PostgreSQL cannot guess how many it finds: it would look up every device by an index.
 */
const devicesOf = (role: string): RawBuilder<unknown> => sql`
  devices d
  left join variable_files f on f.kind = 'device' and f.name = d.name
  left join device_status on device_status.device_id = d.id
  where d.membership = 'active' and (d.role = ${role} or (d.role is null and f.role = ${role}))`;

/** shareOf of the protocol, in SQL. */
const share = (releaseId: string): RawBuilder<number> => sql<number>`
  ('x' || substr(encode(sha256(convert_to(d.id::text || E'\\n' || ${releaseId}, 'UTF8')), 'hex'), 1, 15))
  ::bit(60)::bigint % ${sql.lit(SHARE_SCALE)}`;

/** Where a device stands when it is covered: some run the release already, or have refused it before. */
const stateNow = ({ role, commit }: OpenRow): RawBuilder<unknown> => sql`
  case
    when device_status.role = ${role} and device_status.commit = ${commit}
      and device_status.health = 'healthy' and device_status.update_state = 'idle' then 'healthy'
    when device_status.wanted_commit = ${commit}
      and jsonb_typeof(device_status.status -> 'refused') = 'object' then 'failed'
    else 'pending'
  end`;

/** Covers all devices that a stage reaches and that no stage has covered. Returns those to wake. */
export async function coverStage(
  trx: Transaction<Schema>,
  rollout: OpenRow,
  index: number,
): Promise<readonly string[]> {
  const stage = rollout.stages[index];
  if (stage === undefined) return [];
  const before = SEGMENTS.slice(0, SEGMENTS.indexOf(stage.segment));
  const inShare =
    stage.percent >= 100
      ? sql`true`
      : sql`${share(rollout.releaseId)} < ${(stage.percent * SHARE_SCALE) / 100}`;
  const { rows } = await sql<{ device_id: string; state: string }>`
    insert into rollout_devices (rollout_id, device_id, stage, state, problem)
    select ${rollout.id}, d.id, ${index}, ${stateNow(rollout)}, null
    from ${devicesOf(rollout.role)}
      and not d.updates_off
      and (d.segment = any(${before}) or (d.segment = ${stage.segment} and ${inShare}))
    order by d.id
    on conflict do nothing
    returning device_id, state`.execute(trx);
  return rows.filter(({ state }) => state === 'pending').map((row) => row.device_id);
}

/**
 * The device that goes first where nobody is in the first stage: of its segment if there is one (its share was too
 * small), reachable if there is one, and with the lowest share. Null when all are held.
 */
export async function coverStandIn(trx: Transaction<Schema>, rollout: OpenRow): Promise<string | null> {
  const segment = rollout.stages[0]?.segment ?? 'canary';
  const { rows } = await sql<{ device_id: string }>`
    insert into rollout_devices (rollout_id, device_id, stage, state, problem)
    select ${rollout.id}, d.id, 0, ${stateNow(rollout)}, null
    from ${devicesOf(rollout.role)}
      and not d.updates_off
    order by d.segment = ${segment} desc, ${ONLINE} desc, ${share(rollout.releaseId)}
    limit 1
    on conflict (rollout_id, device_id) do update set stage = 0
    returning device_id`.execute(trx);
  return rows[0]?.device_id ?? null;
}

/** Whether a role has devices at all, and any whose updates are on. */
export async function lookAtRole(trx: Transaction<Schema>, role: string): Promise<'none' | 'held' | 'some'> {
  const { rows } = await sql<{ any: boolean; able: boolean }>`
    select exists (select from ${devicesOf(role)}) as any,
      exists (select from ${devicesOf(role)} and not d.updates_off) as able`.execute(trx);
  const found = rows[0];
  if (found?.able === true) return 'some';
  return found?.any === true ? 'held' : 'none';
}
