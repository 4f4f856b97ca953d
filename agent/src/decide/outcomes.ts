import { blameOf, type Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import { nextBackoff } from './backoff.ts';
import type { Deployment, Journal, Quarantined, Safe, State } from './journal.ts';
import type { HistoryEntry, Step } from './vocabulary.ts';

/** How many quarantined deployments are remembered; the oldest are forgotten first. */
const QUARANTINE_SIZE = 50;
/** How often going back to the former deployment is tried. */
const REVERT_ATTEMPTS = 5;
/** Seconds in safe mode until the last good deployment is tried again; doubled each time, up to an hour. */
const SAFE_RETRY = 600;

/** What the journal says about the update that is under way, whatever its state; null when none is. */
export function underWay(
  journal: Journal,
): { key: string; role: string; commit: string; deployment: Deployment | null } | null {
  const { state } = journal;
  switch (state.name) {
    case 'idle':
    case 'safe':
      return null;
    case 'staging': {
      const { key, wanted, deployment } = state.incoming;
      return { key, role: wanted.role, commit: wanted.commit, deployment };
    }
    case 'staged':
    case 'activating':
    case 'probation':
      return { key: state.next.key, ...namesOf(state.next), deployment: state.next };
    case 'reverting':
      return { key: state.failed.key, ...namesOf(state.failed), deployment: state.failed };
  }
}

/**
 * Ends the update that is under way because of a problem, by whose fault it is and how far it came: before the swap
 * back to idle, after it back to the former deployment. Content is quarantined; the rest is tried again later.
 */
export function giveUp(journal: Journal, problem: Problem, now: Moment): Step {
  const update = underWay(journal);
  if (update === null) return { journal, effect: null, history: [] };
  const content = blameOf(problem) === 'content';
  const marked: Journal = content
    ? {
        ...journal,
        quarantine: quarantined(journal.quarantine, { ...update, problem, at: now.wall }),
        delayed: null,
      }
    : { ...journal, delayed: nextBackoff(journal.delayed, { key: update.key, problem }, now) };
  const entry = historyOf(marked, content ? 'failed' : 'delayed', now, { ...update, problem });
  const { state } = journal;
  if (state.name === 'staging' || state.name === 'staged') {
    return { journal: { ...marked, state: atRest(journal) }, effect: null, history: [entry] };
  }
  if (
    update.deployment === null ||
    state.name === 'idle' ||
    state.name === 'safe' ||
    state.name === 'reverting'
  )
    return enterSafe(journal, { problem }, now);
  if (state.revertedFor !== null) return enterSafe(journal, { problem, after: state.revertedFor }, now);
  if (journal.safe !== undefined) return after(entry, enterSafe(marked, { problem }, now));
  return { ...revert(marked, update.deployment, problem), history: [entry] };
}

/** Where a device rests that gives up what is on its way in. */
export function atRest({ safe }: Journal): State {
  return { name: safe === undefined ? 'idle' : 'safe' };
}

/** Starts going back from a deployment to `Journal.current`. */
export function revert(journal: Journal, failed: Deployment, problem: Problem): Step {
  return {
    journal: { ...journal, state: { name: 'reverting', failed, problem, attempts: 0 } },
    effect: { kind: 'revert', failed, to: journal.current },
    history: [],
  };
}

/** One more failed try to go back. After REVERT_ATTEMPTS nothing healthy is left. */
export function retryRevert(journal: Journal, problem: Problem, now: Moment): Step {
  const { state } = journal;
  if (state.name !== 'reverting') return enterSafe(journal, { problem }, now);
  const attempts = state.attempts + 1;
  if (attempts >= REVERT_ATTEMPTS) return enterSafe(journal, { problem, after: state.problem }, now);
  return { journal: { ...journal, state: { ...state, attempts } }, effect: null, history: [] };
}

/**
 * Nothing healthy is left to go back to, or somebody ordered it: what failed is stopped, and the device says why. It
 * tries `current` again by itself, less and less often; told once, as long as the reason is the same.
 */
export function enterSafe(
  journal: Journal,
  why: { readonly problem: Problem; readonly after?: Problem; readonly held?: boolean },
  now: Moment,
): Step {
  const before = journal.safe;
  const problem = before === undefined ? withRoot(why.problem, why.after) : why.problem;
  const safe: Safe = {
    problem,
    since: before?.since ?? now.wall,
    held: why.held ?? before?.held ?? false,
    retry: nextBackoff(before?.retry ?? null, { key: 'safe', problem, first: SAFE_RETRY }, now),
  };
  const failed = underWay(journal)?.deployment ?? journal.current;
  const entered: Journal = { ...journal, state: { name: 'safe' }, repairs: null, safe };
  const known = before?.problem.code === problem.code && before.held === safe.held;
  return {
    journal: entered,
    effect: { kind: 'enter-safe', failed, safe },
    history: known ? [] : [historyOf(entered, 'safe-mode', now, { ...describe(failed), problem })],
  };
}

/** What went wrong last, and what it all began with. */
function withRoot(problem: Problem, root: Problem | undefined): Problem {
  if (root === undefined) return problem;
  return { ...problem, what: `${problem.what}. Before, the device went back for: ${root.what}` };
}

function after(entry: HistoryEntry, step: Step): Step {
  return { ...step, history: [entry, ...step.history] };
}

/** Adds an entry to the quarantine; one entry per deployment, the newest last. */
export function quarantined(
  list: readonly Quarantined[],
  { key, role, commit, problem, at }: Quarantined,
): readonly Quarantined[] {
  return [...list.filter((entry) => entry.key !== key), { key, role, commit, problem, at }].slice(
    -QUARANTINE_SIZE,
  );
}

type HistoryFields = Partial<Pick<HistoryEntry, 'role' | 'commit' | 'digest' | 'detail' | 'problem'>>;

/** A history entry of a journal as it is now. Fields that are undefined are left out. */
// eslint-disable-next-line max-params -- journal, event and moment are the entry; the fields are optional
export function historyOf(
  journal: Journal,
  event: HistoryEntry['event'],
  at: Moment,
  fields: HistoryFields = {},
): HistoryEntry {
  const { role, commit, digest, detail, problem } = fields;
  return {
    at,
    event,
    state: journal.state.name,
    ...(role === undefined ? {} : { role }),
    ...(commit === undefined ? {} : { commit }),
    ...(digest === undefined ? {} : { digest }),
    ...(detail === undefined ? {} : { detail }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The names of a deployment for a history entry. */
export function describe(deployment: Deployment | null): HistoryFields {
  return deployment === null ? {} : { ...namesOf(deployment), digest: deployment.release.digest };
}

function namesOf({ release }: Deployment): { role: string; commit: string } {
  return { role: release.role, commit: release.commit };
}
