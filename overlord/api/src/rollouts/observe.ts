import type { Status } from '@metrica-fleet/protocol';
import type { RolloutDeviceState } from '@metrica-fleet/protocol/api';
import { sql, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { stageCovering, type Coverable } from './coverage.ts';
import type { Snapshot } from './snapshot.ts';
import { runsWell, standingOf } from './standing.ts';

/** A device that said something new of itself. */
export interface Observed {
  readonly device: Coverable & { readonly name: string; readonly role: string | null };
  readonly status: Status;
}

interface Row {
  readonly rollout: string;
  readonly device: string;
  readonly stage: number;
  readonly state: RolloutDeviceState;
  readonly problem: string | null;
}

/**
 * Notes where devices stand in the rollouts of their roles, in the transaction of their check-ins: newcomers join the
 * rollout that covers them, and those that a halt sent back are ticked off. Costs nothing while no rollout is open and
 * none was halted. Announces nothing: the engine counts.
 */
export async function observe(
  trx: Transaction<Schema>,
  snapshot: Snapshot,
  seen: readonly Observed[],
): Promise<void> {
  const standings: Row[] = [];
  const after: Row[] = [];
  for (const { device, status } of seen) {
    const role = device.role ?? snapshot.devices.get(device.name)?.role ?? null;
    const decisions = role === null ? undefined : snapshot.roles.get(role);
    if (role === null || decisions === undefined) continue;
    const { rollout, halted, baseline } = decisions;
    if (rollout !== null) {
      const stage = stageCovering({ ...rollout, releaseId: rollout.offered.releaseId }, device);
      const { state, problem } = standingOf(status, rollout.offered);
      const told = problem === null ? null : JSON.stringify(problem);
      if (stage !== null) {
        standings.push({ rollout: rollout.id, device: device.id, stage, state, problem: told });
      }
    } else if (halted !== null) {
      const failed = standingOf(status, { role, commit: halted.commit });
      const back = baseline !== null && runsWell(status, baseline);
      const common = { rollout: halted.id, device: device.id, stage: 0 };
      if (failed.state === 'failed') {
        after.push({ ...common, state: 'failed', problem: JSON.stringify(failed.problem) });
      } else if (back) after.push({ ...common, state: 'returned', problem: null });
    }
  }
  await upsert(trx, standings);
  await settle(trx, after);
}

/** In the order of the ids, as an opened stage inserts them: two that write the same rows wait, and never for each other. */
function columnsOf(rows: readonly Row[]) {
  const sorted = [...rows].sort((a, b) => (a.device < b.device ? -1 : 1));
  return sql`unnest(
    ${sorted.map(({ rollout }) => rollout)}::uuid[], ${sorted.map(({ device }) => device)}::uuid[],
    ${sorted.map(({ stage }) => stage)}::int[], ${sorted.map(({ state }) => state)}::text[],
    ${sorted.map(({ problem }) => problem)}::jsonb[]
  ) as seen (rollout, device, stage, state, problem)`;
}

async function upsert(trx: Transaction<Schema>, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into rollout_devices as known (rollout_id, device_id, stage, state, problem)
    select rollout, device, stage, state, problem from ${columnsOf(rows)}
    on conflict (rollout_id, device_id) do update
    set state = excluded.state, problem = excluded.problem, at = now()
    where known.state <> excluded.state or known.problem is distinct from excluded.problem`.execute(trx);
}

/** After a halt: who failed later than that, and who runs the former release again. */
async function settle(trx: Transaction<Schema>, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    update rollout_devices known
    set state = seen.state, problem = coalesce(seen.problem, known.problem), at = now()
    from ${columnsOf(rows)}
    where known.rollout_id = seen.rollout and known.device_id = seen.device
      and (known.state in ('updating', 'healthy') or (known.state = 'pending' and seen.state = 'failed'))`.execute(
    trx,
  );
}
