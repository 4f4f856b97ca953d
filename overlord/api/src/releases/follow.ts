import { describeProblem, FleetError, problemOf } from '@metrica-fleet/protocol';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { announce } from '../db/announce.ts';
import { isOutage } from '../db/outage.ts';
import type { Schema } from '../db/schema.ts';
import { readFleetFiles, replaceVariables, type VariableFile } from './fleet-files.ts';
import { makeRelease, type ReleasePorts } from './make-release.ts';
import { fetchHead, lastChange, listRoles, type Remote } from './mirror.ts';

export interface FollowPorts extends ReleasePorts {
  readonly log: Logger;
  readonly remote: Remote;
  /** Folder of the mirror. */
  readonly mirror: string;
  /** Wakes the devices whose variables changed. */
  readonly variablesChanged: (
    trx: Transaction<Schema>,
    files: readonly Pick<VariableFile, 'kind' | 'name'>[],
  ) => Promise<void>;
}

/** Follows the fleet repo: each look fetches it and makes releases of what changed. */
export interface Follower {
  /** One look. A second one that is asked for meanwhile comes right after; nobody waits in vain, none is run twice. */
  look(): Promise<void>;
}

/** What a look did. */
type Found = 'nothing new' | 'new head';

export function followRepository(ports: FollowPorts): Follower {
  let current: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    try {
      await lookOnce(ports).catch(async (thrown: unknown) => {
        // What Git says of the way to the repo has words of an outage, too.
        if (!(thrown instanceof FleetError) && isOutage(thrown)) throw thrown;
        const problem = describeProblem(problemOf(thrown));
        ports.log.warn({ problem }, 'The fleet repo could not be read');
        await record(ports, { problem });
      });
    } catch (thrown) {
      ports.log.warn(
        { err: thrown },
        'What the fleet repo says could not be written; the next look tries again',
      );
    }
  };
  return {
    look() {
      if (current === null) {
        current = look().finally(() => (current = null));
        return current;
      }
      next ??= current.then(() => {
        next = null;
        return this.look();
      });
      return next;
    },
  };
}

async function lookOnce(ports: FollowPorts): Promise<Found> {
  const { git, db, remote, mirror, now } = ports;
  const head = await fetchHead(git, mirror, remote);
  const known = await db
    .selectFrom('repository')
    .select(['head', 'url', 'branch', 'problem'])
    .executeTakeFirst();
  const same = known?.head === head && known.url === remote.url && known.branch === remote.branch;
  if (same && known.problem === null) {
    await db.updateTable('repository').set({ fetched_at: now() }).execute();
    return 'nothing new';
  }
  const files = await readFleetFiles(git, head);
  await db.transaction().execute(async (trx) => {
    const changed = await replaceVariables(trx, files);
    await save(ports, trx, { stages: files.stages === null ? null : JSON.stringify(files.stages) });
    if (changed.length > 0) {
      await announce(trx, 'decisions');
      await ports.variablesChanged(trx, changed);
    }
  });
  await makeReleases(ports, head);
  const problem = files.problems.length === 0 ? null : files.problems.join(' ');
  await record(ports, { head, problem });
  return 'new head';
}

/** A release for each role whose content is not that of its newest release. The head is noted only once all are made. */
async function makeReleases(ports: FollowPorts, head: string): Promise<void> {
  const newest = await ports.db
    .selectFrom('releases')
    .distinctOn('role')
    .select(['role', 'tree'])
    .orderBy('role')
    .orderBy(sql`created_at desc`)
    .execute();
  const trees = new Map(newest.map(({ role, tree }) => [role, tree]));
  for (const { role, tree } of await listRoles(ports.git, head)) {
    if (trees.get(role) === tree) continue;
    const facts = await lastChange(ports.git, head, role);
    const ready = await makeRelease(ports, { role, tree, facts });
    ports.log.info({ role, commit: facts.commit, ready }, 'A release was made');
  }
}

interface Noted {
  readonly head?: string;
  readonly problem?: string | null;
  readonly stages?: string | null;
}

async function record(ports: FollowPorts, noted: Noted): Promise<void> {
  await ports.db.transaction().execute(async (trx) => {
    await save(ports, trx, noted);
    await announce(trx, 'releases');
  });
}

async function save({ remote, now }: FollowPorts, trx: Transaction<Schema>, noted: Noted): Promise<void> {
  const values = { url: remote.url, branch: remote.branch, fetched_at: now(), ...noted };
  await trx
    .insertInto('repository')
    .values({ id: 1, ...values })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute();
}
