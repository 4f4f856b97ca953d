import type { Status } from '@metrica-fleet/protocol';
import { sql, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import type { Arrived } from './check-in.ts';
import { jsonText } from './json-text.ts';

/** A check-in that brings a status. */
export type ArrivedWithStatus = Arrived & { readonly body: { readonly status: Status } };

/** Of agents that do not say it. Seconds. */
const CHECK_IN_INTERVAL = 300;

/** For devices that have nothing new to say. HOT: no index is on what changes. */
export async function writeSeen(trx: Transaction<Schema>, arrived: readonly Arrived[]): Promise<void> {
  if (arrived.length === 0) return;
  await sql`
    update device_status as old set
      seen_at = new.at,
      former_boot_id = case when old.boot_id = new.boot then old.former_boot_id else old.boot_id end,
      boot_id = new.boot,
      position = new.position
    from unnest(
      ${arrived.map(({ device }) => device.id)}::uuid[], ${arrived.map(({ at }) => at)}::timestamptz[],
      ${arrived.map(({ body }) => body.bootId)}::text[], ${arrived.map(({ body }) => body.position)}::text[]
    ) as new (id, at, boot, position)
    where old.device_id = new.id`.execute(trx);
}

/** For devices that are heard of for the first time, and have sent no status. */
export async function writeFirst(trx: Transaction<Schema>, arrived: readonly Arrived[]): Promise<void> {
  if (arrived.length === 0) return;
  const rows = arrived.map(({ device, body: { bootId, position }, at }) => ({
    device_id: device.id,
    seen_at: at,
    boot_id: bootId,
    position,
  }));
  await trx
    .insertInto('device_status')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** For devices with a new status. */
export async function writeStatuses(
  trx: Transaction<Schema>,
  arrived: readonly ArrivedWithStatus[],
): Promise<void> {
  if (arrived.length === 0) return;
  await sql`
    insert into device_status as old (device_id, seen_at, check_in_interval, boot_id, position, health, role, commit,
      wanted_commit, update_state, problem_code, problem, agent_version, since, status)
    select device_id, seen_at, check_in_interval, boot_id, position, health, role, commit,
      wanted_commit, update_state, problem_code, problem, agent_version, seen_at, status
    from json_to_recordset(${jsonText(arrived.map(rowOf))}::json) as new (device_id uuid, seen_at timestamptz,
      check_in_interval integer, boot_id text, position text, health text, role text, commit text, wanted_commit text,
      update_state text, problem_code text, problem text, agent_version text, status jsonb)
    on conflict (device_id) do update set
      seen_at = excluded.seen_at,
      check_in_interval = excluded.check_in_interval,
      former_boot_id = case when old.boot_id = excluded.boot_id then old.former_boot_id else old.boot_id end,
      boot_id = excluded.boot_id,
      position = excluded.position,
      health = excluded.health,
      role = excluded.role,
      commit = excluded.commit,
      wanted_commit = excluded.wanted_commit,
      update_state = excluded.update_state,
      problem_code = excluded.problem_code,
      problem = excluded.problem,
      agent_version = excluded.agent_version,
      since = case when old.health is distinct from excluded.health
        or old.problem_code is distinct from excluded.problem_code then excluded.since else old.since end,
      status = excluded.status`.execute(trx);
}

/** What lists and counts need, in columns of their own; the rest is in `status`. */
function rowOf({ device, body: { bootId, position, status }, at }: ArrivedWithStatus) {
  const { health, state, running, wanted, agentVersion, interval = CHECK_IN_INTERVAL } = status;
  const [problem] = status.problems;
  return {
    device_id: device.id,
    seen_at: at,
    check_in_interval: interval,
    boot_id: bootId,
    position,
    health,
    role: running?.role ?? null,
    commit: running?.commit ?? null,
    wanted_commit: wanted?.commit ?? null,
    update_state: state,
    problem_code: problem?.code ?? null,
    problem: problem === undefined ? null : `${problem.what.replace(/\.$/, '')}.`.slice(0, 1_000),
    agent_version: agentVersion.slice(0, 64),
    status,
  };
}
