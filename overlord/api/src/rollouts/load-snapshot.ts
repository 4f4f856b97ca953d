import { sql, type Kysely, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { layersOf, type Offered, type OpenRollout, type RoleDecisions, type Snapshot } from './snapshot.ts';

/** Reads all that is decided, as of one moment. */
export async function loadSnapshot(db: Kysely<Schema>): Promise<Snapshot> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const files = await trx.selectFrom('variable_files').selectAll().execute();
      return { roles: await loadRoles(trx), ...layersOf(files) };
    });
}

async function loadRoles(trx: Transaction<Schema>): Promise<Map<string, RoleDecisions>> {
  const roles = new Map<string, RoleDecisions>();
  const merge = (role: string, part: Partial<RoleDecisions>): void => {
    const empty = { baseline: null, rollout: null, halted: null };
    roles.set(role, { ...(roles.get(role) ?? empty), ...part });
  };
  for (const baseline of await loadBaselines(trx)) merge(baseline.role, { baseline });
  for (const rollout of await loadOpenRollouts(trx)) merge(rollout.offered.role, { rollout });
  for (const { role, id, commit } of await loadHalted(trx)) merge(role, { halted: { id, commit } });
  return roles;
}

const OFFERED = [
  'releases.id as releaseId',
  'releases.role as role',
  'releases.commit as commit',
  'releases.digest as digest',
  'statements.statement as statement',
  'statements.signature as signature',
  'statements.counter as counter',
] as const;

type OfferedRow = Omit<Offered, 'counter' | 'digest'> & {
  readonly counter: string;
  readonly digest: string | null;
};

function offeredOf({ digest, counter, ...row }: OfferedRow): Offered {
  if (digest === null) throw new Error(`Release ${row.releaseId} is offered and has no digest`);
  const { releaseId, role, commit, statement, signature } = row;
  return { releaseId, role, commit, digest, statement, signature, counter: Number(counter) };
}

async function loadBaselines(trx: Transaction<Schema>): Promise<Offered[]> {
  const rows = await trx
    .selectFrom('baselines')
    .innerJoin('releases', 'releases.id', 'baselines.release_id')
    .innerJoin('statements', 'statements.id', 'baselines.statement_id')
    .select(OFFERED)
    .execute();
  return rows.map(offeredOf);
}

async function loadOpenRollouts(trx: Transaction<Schema>): Promise<OpenRollout[]> {
  const rows = await trx
    .selectFrom('rollouts')
    .innerJoin('releases', 'releases.id', 'rollouts.release_id')
    .innerJoin('statements', 'statements.id', 'rollouts.statement_id')
    .select(OFFERED)
    .select(['rollouts.id as id', 'rollouts.state as state', 'rollouts.stages', 'rollouts.progress'])
    .where('rollouts.state', 'in', ['running', 'paused'])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    state: row.state === 'paused' ? 'paused' : 'running',
    offered: offeredOf(row),
    stages: row.stages,
    progress: row.progress,
  }));
}

/** Of each role whose last rollout was halted: that rollout. */
async function loadHalted(
  trx: Transaction<Schema>,
): Promise<readonly { role: string; id: string; commit: string }[]> {
  const { rows } = await sql<{ role: string; id: string; commit: string }>`
    select last.role, last.id, releases.commit
    from (select distinct on (role) role, id, state, release_id from rollouts order by role, created_at desc) last
    join releases on releases.id = last.release_id
    where last.state = 'halted'`.execute(trx);
  return rows;
}
