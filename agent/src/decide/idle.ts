import { blameOf, type Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';
import { isOver, nextBackoff } from './backoff.ts';
import { tidy } from './collection.ts';
import type { Deployment, Journal } from './journal.ts';
import { describe, enterSafe, historyOf, quarantined, revert } from './outcomes.ts';
import type { Effect, Fault, Observation, Step } from './vocabulary.ts';
import { judgeWanted, wantedKey } from './wanted.ts';

/** Repairs of a deployment that has turned bad, before the agent goes back to the one before. */
const REPAIR_ATTEMPTS = 3;
/** Looks at an engine that does not answer, the restarts among them, before safe mode: about a quarter of an hour. */
const ENGINE_ATTEMPTS = 5;
const ORDERED: Problem = {
  code: 'safe-mode-ordered',
  what: 'Safe mode was ordered',
  remedy: 'Redeploy ends it: on the page of safe mode, on the dashboard, or `role-agent redeploy`.',
};
/** What the engine is ill with, and over as soon as it answers. */
export const OF_THE_ENGINE: ReadonlySet<Problem['code']> = new Set([
  'docker-missing',
  'docker-unreachable',
  'docker-stuck',
  'deadline-exceeded',
]);
const ENGINE_SILENT: Problem = { code: 'docker-unreachable', what: 'The Docker engine does not answer' };
/** With any of these the role does not do its work. The rest is put right as often as it takes, while the role goes on. */
const HARMFUL: ReadonlySet<Fault['kind']> = new Set([
  'missing',
  'stopped',
  'unhealthy',
  'outdated',
  'cut-off',
]);
/** Seconds without a fault after which repairs are forgotten. A service that fails again sooner is flapping. */
const REPAIRS_FORGOTTEN = 600;

/** What a settled device does with what it sees: take what is new, else heal what is broken, else nothing at all. */
export function settle(found: Journal, seen: Observation, now: Moment): Step {
  const { desired, faults } = seen;
  const journal = forgetSilence(forgetStale(found, desired), faults);
  if (seen.stop === true) return stopByOrder(journal, now);
  if (desired !== null && judgeWanted(journal, desired, now) === 'news') return begin(journal, desired, now);
  const { current } = journal;
  if (isLost(journal, seen, now) && desired !== null) return begin(journal, desired, now);
  const tidied = tidy(journal, seen, now);
  // A full disk comes first: it may be what the faults are from.
  if (tidied !== null && (seen.cramped === true || faults?.length === 0)) return tidied;
  if (current === null) return nothing(journal);
  if (faults === null) return wakeEngine({ journal, current, now }, seen.blind);
  if (faults.length === 0) return forgetRepairs(journal, now);
  const offered = desired !== null && wantedKey(desired) === current.key ? { offered: desired } : {};
  return heal({ journal, current, faults, now, ...offered });
}

/** What was put off, or waits for its window, does so no more once something else is wanted. */
function forgetStale(journal: Journal, desired: Desired | null): Journal {
  if (desired === null) return journal;
  const key = wantedKey(desired);
  const { scheduled, ...rest } = journal;
  const kept = scheduled === undefined || scheduled.deployment.key === key ? journal : rest;
  return kept.delayed === null || kept.delayed.key === key ? kept : { ...kept, delayed: null };
}

/** An engine that was silent once and answers now was busy, not ill. */
function forgetSilence(journal: Journal, faults: Observation['faults']): Journal {
  const { repairs } = journal;
  const once = repairs?.attempts === 1 && OF_THE_ENGINE.has(repairs.problem.code);
  return once && faults !== null ? { ...journal, repairs: null } : journal;
}

/** The files of what runs are gone, and a source still offers them: the update is simply done again. */
export function isLost(
  { current, delayed }: Journal,
  { desired, faults }: Observation,
  now: Moment,
): boolean {
  const lost = faults?.some(({ kind }) => kind === 'release-lost') ?? false;
  const offered = desired !== null && wantedKey(desired) === current?.key;
  return lost && offered && (delayed === null || isOver(delayed, now));
}

/** Starts an update; goes on with the one that has waited for its window, whose files are here. */
export function begin(journal: Journal, wanted: Desired, now: Moment): Step {
  const key = wantedKey(wanted);
  const { scheduled, ...rest } = journal;
  if (scheduled?.deployment.key === key) {
    const { deployment, stagedIn } = scheduled;
    const incoming = { key, wanted, deployment, stagedIn };
    return {
      journal: { ...rest, state: { name: 'staging', incoming } },
      effect: { kind: 'pull', deployment },
      history: [],
    };
  }
  const started: Journal = {
    ...rest,
    litter: 'due',
    state: { name: 'staging', incoming: { key, wanted, deployment: null } },
  };
  return {
    journal: started,
    effect: { kind: 'fetch', wanted, key, floor: journal.counters },
    history: [historyOf(started, 'update-started', now, { role: wanted.role, commit: wanted.commit })],
  };
}

export interface Repair {
  /** What was found and what was done. */
  readonly detail?: string;
  /** Why that was not enough. */
  readonly problem?: Problem;
}

/**
 * A repair has been made, or could not be: count it, so that what does not heal ends in a way back. One that fails for
 * the same reason as before is told once.
 */
export function countRepair(journal: Journal, { detail, problem }: Repair, now: Moment): Step {
  const found = detail === undefined ? '' : `: ${detail}`;
  const failure = problem ?? { code: 'stack-broken', what: `The stack needed a repair${found}` };
  const key = journal.current?.key ?? 'none';
  const { repairs } = journal;
  const counted: Journal = {
    ...journal,
    repairs: nextBackoff(withPatience(repairs, failure), { key, problem: failure }, now),
  };
  const known =
    problem !== undefined &&
    repairs?.key === key &&
    repairs.problem.code === problem.code &&
    repairs.problem.what === problem.what;
  const fields = {
    ...describe(journal.current),
    ...(detail === undefined ? {} : { detail }),
    ...(problem === undefined ? {} : { problem }),
  };
  const history = known ? [] : [historyOf(counted, 'repaired', now, fields)];
  return { journal: counted, effect: null, history };
}

/** Space may be back at any time, and is waited for: minutes from one look to the next, not an hour. */
function withPatience(repairs: Journal['repairs'], { code }: Problem): Journal['repairs'] {
  if (repairs === null || code !== 'no-space') return repairs;
  return { ...repairs, attempts: Math.min(repairs.attempts, REPAIR_ATTEMPTS) };
}

interface Patient {
  readonly journal: Journal;
  readonly current: Deployment;
  readonly now: Moment;
}

/** Tries to mend the current deployment so far; null while it waits for the next. */
function triesOf({ journal: { repairs }, current, now }: Patient): number | null {
  const tried = repairs !== null && repairs.key === current.key ? repairs.attempts : 0;
  return repairs !== null && tried > 0 && !isOver(repairs, now) ? null : tried;
}

/**
 * The engine does not answer. Once may be a busy moment, a boot above all, and is only counted; from then on it is
 * restarted; when that does not help either, nobody can bring the stack up.
 */
function wakeEngine(patient: Patient, problem = ENGINE_SILENT): Step {
  const { journal, current, now } = patient;
  const tried = triesOf(patient);
  if (tried === null) return nothing(journal);
  if (tried >= ENGINE_ATTEMPTS) return enterSafe(journal, { problem }, now);
  if (tried > 0) return { journal, effect: engineRepair(current, problem), history: [] };
  return nothing({
    ...journal,
    repairs: nextBackoff(journal.repairs, { key: current.key, problem }, now),
  });
}

/** Restarts the engine. */
export function engineRepair(deployment: Deployment, problem = ENGINE_SILENT): Effect {
  return {
    kind: 'repair',
    deployment,
    faults: [{ kind: 'engine-down', subject: 'docker.service', detail: problem.what }],
  };
}

interface Illness extends Patient {
  readonly faults: readonly Fault[];
  readonly offered?: Desired;
}

function heal(illness: Illness): Step {
  const { journal, current, faults, offered } = illness;
  const tried = triesOf(illness);
  if (tried === null) return nothing(journal);
  // Where there is no space the former deployment would not start either.
  const full = journal.repairs?.problem.code === 'no-space';
  if (tried < REPAIR_ATTEMPTS || full || !faults.some(({ kind }) => HARMFUL.has(kind))) {
    const source = offered === undefined ? {} : { offered };
    return { journal, effect: { kind: 'repair', deployment: current, faults, ...source }, history: [] };
  }
  return goBack(illness, tried);
}

/**
 * Repairs have not held: back to the former deployment. This one is quarantined, unless what kept it from being mended
 * is none of its fault (an image that no registry gives out): then it is brought in again after a pause.
 */
function goBack({ journal, current, faults, now }: Illness, tried: number): Step {
  const { previous, repairs } = journal;
  const problem: Problem = {
    code: 'stack-broken',
    what: `The stack did not stay up after ${tried} tries to mend it: ${faults.map((fault) => `${fault.subject} ${fault.detail}`).join(', ')}`,
    remedy: 'See `role-agent history` and `docker compose logs`; push a newer commit to try again.',
  };
  if (previous === null) return enterSafe(journal, { problem }, now);
  const { key } = current;
  const { role, commit } = current.release;
  const innocent = repairs !== null && blameOf(repairs.problem) !== 'content' ? repairs.problem : null;
  const back: Journal = {
    ...journal,
    current: previous,
    previous: null,
    repairs: null,
    ...(innocent === null
      ? { quarantine: quarantined(journal.quarantine, { key, role, commit, problem, at: now.wall }) }
      : { delayed: nextBackoff(journal.delayed, { key, problem: innocent }, now) }),
  };
  return {
    ...revert(back, current, problem),
    history: [historyOf(back, 'failed', now, { ...describe(current), problem })],
  };
}

/** Somebody wants the stack to stand still. */
export function stopByOrder(journal: Journal, now: Moment): Step {
  const { scheduled: _scheduled, ...rest } = journal;
  return enterSafe(rest, { problem: ORDERED, held: true }, now);
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
