import type { Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';
import { isOver, nextBackoff } from './backoff.ts';
import type { Deployment, Journal } from './journal.ts';
import { describe, historyOf, quarantined, revert } from './outcomes.ts';
import type { Fault, Observation, Step } from './vocabulary.ts';
import { judgeWanted, wantedKey } from './wanted.ts';

/** Repairs of a deployment that has turned bad, before the agent goes back to the one before. */
const REPAIR_ATTEMPTS = 3;
/** Seconds without a fault after which repairs are forgotten. A service that fails again sooner is flapping. */
const REPAIRS_FORGOTTEN = 600;

/** What a settled device does with what it sees: take what is new, else heal what is broken, else nothing at all. */
export function settle(found: Journal, seen: Observation, now: Moment): Step {
  const { desired, faults } = seen;
  const journal = forgetDelay(found, desired);
  if (desired !== null && judgeWanted(journal, desired, now) === 'news') return begin(journal, desired, now);
  const { current } = journal;
  if (isLost(journal, seen, now) && desired !== null) return begin(journal, desired, now);
  if (current === null || faults === null) return nothing(journal);
  if (faults.length === 0) return forgetRepairs(journal, now);
  return heal({ journal, current, faults, now });
}

/** What was put off is put off no more once something else is wanted: it would be shown as a problem for ever. */
function forgetDelay(journal: Journal, desired: Desired | null): Journal {
  const stale = journal.delayed !== null && desired !== null && journal.delayed.key !== wantedKey(desired);
  return stale ? { ...journal, delayed: null } : journal;
}

/** The files of what runs are gone, and a source still offers them: the update is simply done again. */
function isLost({ current, delayed }: Journal, { desired, faults }: Observation, now: Moment): boolean {
  const lost = faults?.some(({ kind }) => kind === 'release-lost') ?? false;
  const offered = desired !== null && wantedKey(desired) === current?.key;
  return lost && offered && (delayed === null || isOver(delayed, now));
}

/** Starts an update. */
export function begin(journal: Journal, wanted: Desired, now: Moment): Step {
  const key = wantedKey(wanted);
  const started: Journal = {
    ...journal,
    state: { name: 'staging', incoming: { key, wanted, deployment: null } },
  };
  return {
    journal: started,
    effect: { kind: 'fetch', wanted, key, floor: journal.counters },
    history: [historyOf(started, 'update-started', now, { role: wanted.role, commit: wanted.commit })],
  };
}

/** A repair has been made, or could not be: count it, so that what does not heal ends in a way back. */
export function countRepair(journal: Journal, problem: Problem | null, now: Moment): Step {
  const failure = problem ?? { code: 'stack-broken', what: 'The stack needed a repair' };
  const key = journal.current?.key ?? 'none';
  const counted: Journal = {
    ...journal,
    repairs: nextBackoff(journal.repairs, { key, problem: failure }, now),
  };
  const fields = { ...describe(journal.current), ...(problem === null ? {} : { problem }) };
  return { journal: counted, effect: null, history: [historyOf(counted, 'repaired', now, fields)] };
}

interface Illness {
  readonly journal: Journal;
  readonly current: Deployment;
  readonly faults: readonly Fault[];
  readonly now: Moment;
}

function heal({ journal, current, faults, now }: Illness): Step {
  const { repairs, previous } = journal;
  const tried = repairs !== null && repairs.key === current.key ? repairs.attempts : 0;
  if (repairs !== null && tried > 0 && !isOver(repairs, now)) return nothing(journal);
  if (tried < REPAIR_ATTEMPTS || previous === null) {
    return { journal, effect: { kind: 'repair', deployment: current, faults }, history: [] };
  }
  const problem: Problem = {
    code: 'stack-broken',
    what: `The stack did not stay up after ${tried} tries to mend it: ${faults.map((fault) => `${fault.subject} ${fault.detail}`).join(', ')}`,
    remedy: 'See `role-agent history` and `docker compose logs`; push a newer commit to try again.',
  };
  const back: Journal = {
    ...journal,
    current: previous,
    previous: null,
    repairs: null,
    quarantine: quarantined(journal.quarantine, {
      key: current.key,
      role: current.release.role,
      commit: current.release.commit,
      problem,
      at: now.wall,
    }),
  };
  return {
    ...revert(back, current, problem),
    history: [historyOf(back, 'failed', now, { ...describe(current), problem })],
  };
}

function forgetRepairs(journal: Journal, now: Moment): Step {
  const { repairs } = journal;
  if (repairs === null) return nothing(journal);
  const quiet = repairs.last.boot !== now.boot || now.uptime - repairs.last.uptime > REPAIRS_FORGOTTEN;
  return nothing(quiet ? { ...journal, repairs: null } : journal);
}

function nothing(journal: Journal): Step {
  return { journal, effect: null, history: [] };
}
