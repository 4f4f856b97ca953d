import type { Overview } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { selectEvents, showEvent } from '../devices/event-routes.ts';
import { selectRollouts, showRollouts } from '../rollouts/show-rollout.ts';
import type { HandlersOf } from '../server/handler.ts';
import { inTurn } from '../server/in-turn.ts';
import { timeOf } from '../server/time.ts';
import { attentionOf, countStates, groupFleet, versionsOf, type Meant } from './fleet-groups.ts';
import { verdictOf } from './verdict.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  readonly now: () => Date;
}

const EVENTS = 20;
const ROLLOUTS = 10;

/**
 * The first screen, aggregated here: its size does not depend on that of the fleet. All dashboards ask at once when
 * something has changed; they share an answer.
 */
export function overviewRoutes(ports: Ports): HandlersOf<'overview'> {
  const overview = inTurn(() => makeOverview(ports));
  return { overview: () => overview() };
}

async function makeOverview({ db, now }: Ports): Promise<Overview> {
  const [groups, waiting, rollouts, meant, events] = await Promise.all([
    groupFleet(db),
    countWaiting(db),
    recentRollouts(db),
    meantOf(db),
    selectEvents(db).orderBy('device_events.id', 'desc').limit(EVENTS).execute(),
  ]);
  const counts = countStates(groups);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const last = rollouts.filter((one) => rollouts.find(({ role }) => role === one.role) === one);
  return {
    time: timeOf(now()),
    verdict: verdictOf({ total, counts, rollouts: last }),
    total,
    waiting,
    counts,
    attention: attentionOf(groups),
    rollouts,
    versions: versionsOf(groups, meant),
    events: events.map(showEvent),
  };
}

async function countWaiting(db: Kysely<Schema>): Promise<number> {
  const { count } = await db
    .selectFrom('devices')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('membership', '=', 'waiting')
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Those that are open, and those that ended within a day by their own strength; newest first. */
async function recentRollouts(db: Kysely<Schema>): Promise<Overview['rollouts']> {
  const rows = await selectRollouts(db)
    .where((eb) =>
      eb.or([
        eb('rollouts.state', 'in', ['running', 'paused']),
        eb.and([
          eb('rollouts.state', 'in', ['done', 'halted']),
          eb('rollouts.finished_at', '>', sql<Date>`now() - interval '1 day'`),
        ]),
      ]),
    )
    .orderBy('rollouts.created_at', 'desc')
    .limit(ROLLOUTS)
    .execute();
  return showRollouts(db, rows);
}

async function meantOf(db: Kysely<Schema>): Promise<readonly Meant[]> {
  const { rows } = await sql<Meant>`
    select coalesce(b.role, r.role) as role, current.commit as current, next.commit as next
    from baselines b
    full join (select * from rollouts where state in ('running', 'paused')) r on r.role = b.role
    left join releases current on current.id = b.release_id
    left join releases next on next.id = r.release_id`.execute(db);
  return rows;
}
