import { DEFAULT_STAGES } from '@metrica-fleet/protocol';
import { sql, type Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';

export interface NewRollout {
  readonly releaseId: string;
  readonly role: string;
  /** Its counter beats all former ones of the role. */
  readonly statementId: string;
  /** Name of the operator, or `overlord` for what came with a push. */
  readonly by: string;
  readonly address?: string;
  readonly now: Date;
}

/** Any number, the same for all overlords (pg_advisory_xact_lock): with the role, one start at a time. */
const LOCK = 5_340_121;

/**
 * Begins to take a release out, in the stages that the fleet's repo asks for now; the engine opens the first. A rollout
 * of the role that is still open is superseded: its devices settle, and take the newest when it reaches them. Returns
 * the id.
 */
export async function startRollout(trx: Transaction<Schema>, wanted: NewRollout): Promise<string> {
  const { releaseId, role, statementId, by, now } = wanted;
  await sql`select pg_advisory_xact_lock(${LOCK}, hashtext(${role}))`.execute(trx);
  const { commit } = await trx
    .selectFrom('releases')
    .select('commit')
    .where('id', '=', releaseId)
    .executeTakeFirstOrThrow();
  await supersede(trx, { role, commit, now });
  const repository = await trx.selectFrom('repository').select('stages').executeTakeFirst();
  const baseline = await trx
    .selectFrom('baselines')
    .select('release_id')
    .where('role', '=', role)
    .executeTakeFirst();
  const id = randomUUID();
  await trx
    .insertInto('rollouts')
    .values({
      id,
      role,
      release_id: releaseId,
      statement_id: statementId,
      from_release_id: baseline?.release_id ?? null,
      state: 'running',
      reason: null,
      stages: JSON.stringify(repository?.stages ?? DEFAULT_STAGES),
      created_by: by,
      created_at: now,
      finished_at: null,
    })
    .execute();
  await recordAudit(trx, {
    actor: by,
    action: 'start rollout',
    subject: `role:${role}`,
    detail: commit.slice(0, 7),
    ...(wanted.address === undefined ? {} : { address: wanted.address }),
  });
  await announce(trx, 'decisions');
  await announce(trx, 'rollouts', id);
  return id;
}

interface Newer {
  readonly role: string;
  readonly commit: string;
  readonly now: Date;
}

async function supersede(trx: Transaction<Schema>, { role, commit, now }: Newer): Promise<void> {
  const old = await trx
    .updateTable('rollouts')
    .set({ state: 'superseded', reason: `Superseded by ${commit.slice(0, 7)}`, finished_at: now })
    .where('role', '=', role)
    .where('state', 'in', ['running', 'paused'])
    .returning('id')
    .executeTakeFirst();
  if (old !== undefined) await announce(trx, 'rollouts', old.id);
}
