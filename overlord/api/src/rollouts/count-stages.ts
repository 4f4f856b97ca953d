import type { StageCounts } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ONLINE } from '../devices/state-sql.ts';
import { NOBODY } from './rollout.ts';

type Counted = StageCounts & { readonly rollout_id: string; readonly stage: number };

/** Counts of the stages of rollouts, by the rollout's id; index is that of the stage. */
export type CountsById = ReadonlyMap<string, readonly StageCounts[]>;

/**
 * Counts the devices of rollouts that are open, as they are now: whoever has left the role or the fleet is not counted,
 * nor who is held and has not tried. A device that was updating and is not heard of any more frees its place: it counts
 * as pending and offline.
 */
export async function countOpen(
  db: Kysely<Schema> | Transaction<Schema>,
  rolloutIds: readonly string[],
): Promise<CountsById> {
  const { rows } = await sql<Counted>`
    with covered as (
      select rd.rollout_id, rd.stage, rd.state, ${ONLINE} as online
      from rollout_devices rd
      join rollouts r on r.id = rd.rollout_id
      join devices d on d.id = rd.device_id
      left join variable_files f on f.kind = 'device' and f.name = d.name
      left join device_status on device_status.device_id = d.id
      where rd.rollout_id = any(${rolloutIds}::uuid[])
        and d.membership = 'active' and (d.role = r.role or (d.role is null and f.role = r.role))
        and (rd.state in ('healthy', 'failed') or not (d.updates_off or d.conflict))
    )
    select rollout_id, stage,
      count(*)::int as total,
      count(*) filter (where state = 'pending' or (state = 'updating' and not online))::int as pending,
      count(*) filter (where state = 'updating' and online)::int as updating,
      count(*) filter (where state = 'healthy')::int as healthy,
      count(*) filter (where state = 'failed')::int as failed,
      count(*) filter (where state in ('pending', 'updating') and not online)::int as offline
    from covered group by rollout_id, stage`.execute(db);
  return byId(rows);
}

/** Counts the devices of rollouts that have ended: what was, whatever has become of the devices since. */
export async function countEnded(
  db: Kysely<Schema> | Transaction<Schema>,
  rolloutIds: readonly string[],
): Promise<CountsById> {
  const { rows } = await sql<Counted>`
    select rollout_id, stage,
      count(*)::int as total,
      count(*) filter (where state = 'pending')::int as pending,
      count(*) filter (where state = 'updating')::int as updating,
      count(*) filter (where state = 'healthy')::int as healthy,
      count(*) filter (where state = 'failed')::int as failed,
      0 as offline
    from rollout_devices where rollout_id = any(${rolloutIds}::uuid[])
    group by rollout_id, stage`.execute(db);
  return byId(rows);
}

function byId(rows: readonly Counted[]): CountsById {
  const counts = new Map<string, StageCounts[]>();
  for (const { rollout_id, stage, ...count } of rows) {
    const stages = counts.get(rollout_id) ?? [];
    while (stages.length <= stage) stages.push(NOBODY);
    stages[stage] = count;
    counts.set(rollout_id, stages);
  }
  return counts;
}
