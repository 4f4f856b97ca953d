import type { Release } from '@metrica-fleet/protocol';
import type { Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Schema } from '../db/schema.ts';
import { timeOf } from '../server/time.ts';
import type { Signer } from './signer.ts';

/**
 * Signs a new statement for a release, with a counter above all former ones of its role; returns its id. The counter
 * is at least the time: an overlord that was restored from an old backup, or set up anew, must not hand out counters
 * that its devices have already seen.
 */
export async function addStatement(
  trx: Transaction<Schema>,
  signer: Signer,
  { releaseId, release, now }: { readonly releaseId: string; readonly release: Release; readonly now: Date },
): Promise<string> {
  const last = await trx
    .selectFrom('statements')
    .select((eb) => eb.fn.max('counter').as('counter'))
    .where('role', '=', release.role)
    .executeTakeFirst();
  const counter = Math.max(Number(last?.counter ?? 0) + 1, Math.floor(now.getTime() / 1000));
  const { text, signature } = await signer.sign({
    schemaVersion: 1,
    role: release.role,
    commit: release.commit,
    digest: release.digest,
    counter,
    time: timeOf(now),
  });
  const id = randomUUID();
  await trx
    .insertInto('statements')
    .values({ id, release_id: releaseId, role: release.role, counter, statement: text, signature })
    .execute();
  return id;
}

/** A new statement for a release that has been made before: what an operator's or a halt's way back is. */
export async function restate(
  trx: Transaction<Schema>,
  signer: Signer,
  { releaseId, now }: { readonly releaseId: string; readonly now: Date },
): Promise<string> {
  const { role, commit, digest } = await trx
    .selectFrom('releases')
    .select(['role', 'commit', 'digest'])
    .where('id', '=', releaseId)
    .where('state', '=', 'ready')
    .executeTakeFirstOrThrow();
  if (digest === null) throw new Error(`Release ${releaseId} is ready and has no digest`);
  return addStatement(trx, signer, { releaseId, release: { role, commit, digest }, now });
}
