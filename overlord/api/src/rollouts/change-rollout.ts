import type { Transaction } from 'kysely';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema, StageProgress } from '../db/schema.ts';
import { coverStage, coverStandIn } from './cover.ts';
import type { OpenRow } from './open-row.ts';
import { patternOf, type Failure } from './pattern.ts';
import { stageName } from './stage-name.ts';

/** What Deployment Control needs of others to change something. */
export interface ChangePorts {
  readonly now: () => Date;
  /** Signs a new statement for a release that has been made before; gives its id. */
  readonly sign: (trx: Transaction<Schema>, releaseId: string) => Promise<string>;
  /** Wakes devices when the transaction commits. Called last. */
  readonly wake: (trx: Transaction<Schema>, devices: readonly string[]) => Promise<void>;
}

/** Who changes a rollout, and how the audit calls it. */
export interface Deed {
  /** Name of the operator, or `overlord`. */
  readonly actor: string;
  readonly action: string;
  readonly detail?: string;
  readonly address?: string;
}

/** A rollout in the transaction that changes it. */
export interface Change {
  readonly trx: Transaction<Schema>;
  readonly ports: ChangePorts;
  readonly rollout: OpenRow;
}

/** Opens a stage: covers its devices and wakes them. */
export async function openStage({ trx, ports, rollout }: Change, index: number, deed: Deed): Promise<void> {
  const opened = { openedAt: ports.now().toISOString(), metSince: null, standIn: null };
  await update(trx, rollout.id, {
    state: 'running',
    reason: null,
    stage: index,
    progress: [...rollout.progress.slice(0, index), opened],
  });
  const devices = await coverStage(trx, rollout, index);
  const why = deed.detail === undefined ? '' : `; ${deed.detail}`;
  await tell(trx, rollout, { ...deed, detail: `${stageName(rollout.stages, index)}${why}` });
  await ports.wake(trx, devices);
}

/** Lets one device go first where the first stage has none. */
export async function letStandIn({ trx, ports, rollout }: Change, deed: Deed): Promise<void> {
  const device = await coverStandIn(trx, rollout);
  if (device === null) return;
  const progress = rollout.progress.map((one, index) => (index === 0 ? { ...one, standIn: device } : one));
  await update(trx, rollout.id, { progress });
  const row = await trx.selectFrom('devices').select('name').where('id', '=', device).executeTakeFirst();
  await tell(trx, rollout, { ...deed, detail: `${row?.name ?? device} goes first, nobody is in the stage` });
  await ports.wake(trx, [device]);
}

/** Begins, or begins anew, the soak of the stage that was opened last. */
export async function setSoak({ trx, rollout }: Change, since: Date | null): Promise<void> {
  const last = rollout.progress.length - 1;
  const metSince = since === null ? null : since.toISOString();
  const progress = rollout.progress.map((one, index) => (index === last ? { ...one, metSince } : one));
  await update(trx, rollout.id, { progress });
  await announce(trx, 'rollouts', rollout.id);
}

/** Stops opening stages until somebody says otherwise; devices of open stages go on. */
export async function pause({ trx, rollout }: Change, reason: string, deed: Deed): Promise<void> {
  await update(trx, rollout.id, { state: 'paused', reason });
  await tell(trx, rollout, { ...deed, detail: reason });
}

/** Goes on. The time of the open stage counts anew, or a rollout that was too late would pause again at once. */
export async function resume({ trx, ports, rollout }: Change, deed: Deed): Promise<void> {
  const last = rollout.progress.length - 1;
  const openedAt = ports.now().toISOString();
  const progress = rollout.progress.map((one, index) => (index === last ? { ...one, openedAt } : one));
  await update(trx, rollout.id, { state: 'running', reason: null, progress });
  await tell(trx, rollout, deed);
}

/** The release is what the role runs from now on. */
export async function finish({ trx, ports, rollout }: Change, deed: Deed): Promise<void> {
  const { role, releaseId: release_id, statementId: statement_id } = rollout;
  const since = ports.now();
  await update(trx, rollout.id, { state: 'done', reason: null, finished_at: since });
  await trx
    .insertInto('baselines')
    .values({ role, release_id, statement_id, since })
    .onConflict((conflict) => conflict.column('role').doUpdateSet({ release_id, statement_id, since }))
    .execute();
  await tell(trx, rollout, deed);
}

/**
 * Ends a rollout that must not go on. What the role ran before gets a new statement, with a counter above that of the
 * release that failed: the devices that took it go back (invariant 4).
 */
export async function halt({ trx, ports, rollout }: Change, reason: string, deed: Deed): Promise<void> {
  const baseline = await trx
    .selectFrom('baselines')
    .select('release_id')
    .where('role', '=', rollout.role)
    .executeTakeFirst();
  const back = baseline === undefined ? '; there is no former release to go back to' : '';
  await update(trx, rollout.id, { state: 'halted', reason: `${reason}${back}`, finished_at: ports.now() });
  if (baseline !== undefined) {
    const statement_id = await ports.sign(trx, baseline.release_id);
    await trx.updateTable('baselines').set({ statement_id }).where('role', '=', rollout.role).execute();
  }
  const covered = await trx
    .selectFrom('rollout_devices')
    .select('device_id')
    .where('rollout_id', '=', rollout.id)
    .execute();
  await tell(trx, rollout, { ...deed, detail: `${reason}${back}` });
  await ports.wake(
    trx,
    covered.map((row) => row.device_id),
  );
}

/** What the failures of a stage have in common, for the reason of a halt. */
export async function patternOfStage({ trx, rollout }: Change, index: number): Promise<string> {
  const rows = await trx
    .selectFrom('rollout_devices')
    .innerJoin('devices', 'devices.id', 'rollout_devices.device_id')
    .leftJoin('device_status', 'device_status.device_id', 'devices.id')
    .select(['rollout_devices.state', 'rollout_devices.problem', 'devices.evidence', 'device_status.commit'])
    .where('rollout_devices.rollout_id', '=', rollout.id)
    .where('rollout_devices.stage', '=', index)
    .where('rollout_devices.state', 'in', ['healthy', 'failed'])
    .execute();
  const failures = rows
    .filter(({ state }) => state === 'failed')
    .map(({ problem, evidence, commit }): Failure => ({
      problem,
      model: evidence.model,
      before: commit?.slice(0, 7) ?? null,
    }));
  return patternOf(failures, rows.length, stageName(rollout.stages, index));
}

interface Fields {
  readonly state?: OpenRow['state'];
  readonly reason?: string | null;
  readonly stage?: number;
  readonly progress?: readonly StageProgress[];
  readonly finished_at?: Date;
}

async function update(trx: Transaction<Schema>, id: string, { progress, ...fields }: Fields): Promise<void> {
  await trx
    .updateTable('rollouts')
    .set({ ...fields, ...(progress === undefined ? {} : { progress: JSON.stringify(progress) }) })
    .where('id', '=', id)
    .execute();
}

/** The audit entry, and news for everybody: what is decided has changed, and what is shown. */
async function tell(trx: Transaction<Schema>, rollout: OpenRow, deed: Deed): Promise<void> {
  const commit = rollout.commit.slice(0, 7);
  const detail = deed.detail === undefined ? commit : `${commit}: ${deed.detail}`;
  await recordAudit(trx, { ...deed, subject: `role:${rollout.role}`, detail: detail.slice(0, 1_000) });
  await announce(trx, 'decisions');
  await announce(trx, 'rollouts', rollout.id);
}
