import type { RolloutStage, RolloutSummary, StageCounts } from '@metrica-fleet/protocol/api';
import type { Kysely, Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { timeOf, timeOrNull } from '../server/time.ts';
import { countEnded, countOpen } from './count-stages.ts';
import { describeGate } from './describe-gate.ts';
import { NOBODY } from './rollout.ts';
import { stageName } from './stage-name.ts';

/** Rollouts with their releases; what `showRollouts` shows. */
export function selectRollouts(db: Kysely<Schema> | Transaction<Schema>) {
  return db
    .selectFrom('rollouts')
    .innerJoin('releases', 'releases.id', 'rollouts.release_id')
    .leftJoin('releases as former', 'former.id', 'rollouts.from_release_id')
    .select([
      'rollouts.id',
      'rollouts.role',
      'rollouts.release_id',
      'rollouts.state',
      'rollouts.reason',
      'rollouts.stages',
      'rollouts.progress',
      'rollouts.created_by',
      'rollouts.created_at',
      'rollouts.finished_at',
      'releases.commit',
      'releases.subject',
      'releases.author',
      'former.commit as from',
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectRollouts>['execute']>>[number];

/** Rollouts as they are shown, with the counts of their stages as measured now. */
export async function showRollouts(
  db: Kysely<Schema> | Transaction<Schema>,
  rows: readonly Row[],
): Promise<RolloutSummary[]> {
  const idsOf = (open: boolean): string[] =>
    rows.filter(({ state }) => isOpen(state) === open).map(({ id }) => id);
  const [open, ended] = [idsOf(true), idsOf(false)];
  const counts = new Map([
    ...(open.length === 0 ? [] : await countOpen(db, open)),
    ...(ended.length === 0 ? [] : await countEnded(db, ended)),
  ]);
  return rows.map((row) => showOne(row, counts.get(row.id) ?? []));
}

/** One rollout as it is shown. Throws `not-found`. */
export async function showRollout(
  db: Kysely<Schema> | Transaction<Schema>,
  id: string,
): Promise<RolloutSummary> {
  const rows = await selectRollouts(db).where('rollouts.id', '=', id).execute();
  const [shown] = await showRollouts(db, rows);
  if (shown === undefined) throw new ApiError('not-found', 'There is no such rollout');
  return shown;
}

function isOpen(state: Row['state']): boolean {
  return state === 'running' || state === 'paused';
}

function showOne(row: Row, counts: readonly StageCounts[]): RolloutSummary {
  const { id, role, release_id, commit, subject, author, from, state, reason, created_by } = row;
  return {
    id,
    role,
    release: release_id,
    commit,
    subject,
    author,
    from,
    state,
    reason,
    createdBy: created_by,
    createdAt: timeOf(row.created_at),
    finishedAt: timeOrNull(row.finished_at),
    stages: row.stages.map((_, index) => showStage(row, index, counts[index] ?? NOBODY)),
  };
}

function showStage(row: Row, index: number, counts: StageCounts): RolloutStage {
  const stage = row.stages[index];
  if (stage === undefined) throw new Error(`Rollout ${row.id} has no stage ${index}`);
  const opened = row.progress[index];
  const metSince = opened?.metSince ?? null;
  const soaking = stageState(row, index) === 'soaking' && metSince !== null;
  return {
    name: stageName(row.stages, index),
    segment: stage.segment,
    state: stageState(row, index),
    soakSeconds: stage.soak,
    maxFailedPercent: stage.maxFailedPercent,
    promotion: stage.promotion,
    openedAt: opened === undefined ? null : timeOf(new Date(opened.openedAt)),
    soakEndsAt: soaking ? timeOf(new Date(Date.parse(metSince) + stage.soak * 1_000)) : null,
    counts,
    gate: describeGate(row, index, counts),
  };
}

function stageState({ state, progress }: Row, index: number): RolloutStage['state'] {
  const opened = progress[index];
  if (state === 'done') return 'passed';
  if (opened === undefined) return 'waiting';
  if (index < progress.length - 1) return 'passed';
  return opened.metSince === null ? 'open' : 'soaking';
}
