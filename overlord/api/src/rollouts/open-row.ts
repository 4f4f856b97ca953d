import type { Stage } from '@metrica-fleet/protocol';
import type { RolloutState } from '@metrica-fleet/protocol/api';
import type { Transaction } from 'kysely';
import type { Schema, StageProgress } from '../db/schema.ts';

/** A rollout as it is in the database, held by the transaction that changes it. */
export interface OpenRow {
  readonly id: string;
  readonly role: string;
  readonly state: RolloutState;
  readonly releaseId: string;
  readonly statementId: string;
  readonly fromReleaseId: string | null;
  readonly commit: string;
  readonly stages: readonly Stage[];
  readonly progress: readonly StageProgress[];
}

/**
 * Reads a rollout and holds it until the transaction ends: engines, operators and newer releases change it one after
 * the other. Check-ins may go on adding its devices meanwhile (FOR NO KEY UPDATE). Undefined when there is none.
 */
export async function holdRollout(trx: Transaction<Schema>, id: string): Promise<OpenRow | undefined> {
  const row = await trx
    .selectFrom('rollouts')
    .innerJoin('releases', 'releases.id', 'rollouts.release_id')
    .select([
      'rollouts.id',
      'rollouts.role',
      'rollouts.state',
      'rollouts.release_id as releaseId',
      'rollouts.statement_id as statementId',
      'rollouts.from_release_id as fromReleaseId',
      'releases.commit',
      'rollouts.stages',
      'rollouts.progress',
    ])
    .where('rollouts.id', '=', id)
    .forNoKeyUpdate('rollouts')
    .executeTakeFirst();
  return row;
}
