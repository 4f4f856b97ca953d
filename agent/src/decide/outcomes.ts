import { blameOf, type Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import { nextBackoff } from './backoff.ts';
import type { Deployment, Journal, Quarantined } from './journal.ts';
import type { HistoryEntry, Step } from './vocabulary.ts';

/** How many quarantined deployments are remembered; the oldest are forgotten first. */
const QUARANTINE_SIZE = 50;
/** How often going back to the former deployment is tried before the agent settles for repairing what it finds. */
const REVERT_ATTEMPTS = 5;

/** What the journal says about the update that is under way, whatever its state; null when none is. */
export function underWay(
  journal: Journal,
): { key: string; role: string; commit: string; deployment: Deployment | null } | null {
  const { state } = journal;
  switch (state.name) {
    case 'idle':
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
    return { journal: { ...marked, state: { name: 'idle' } }, effect: null, history: [entry] };
  }
  if (update.deployment === null || state.name === 'reverting') return settleForRepair(journal, problem, now);
  const wasReverted = state.name !== 'idle' && state.revertedFor !== null;
  if (wasReverted) return settleForRepair(journal, problem, now);
  return { ...revert(marked, update.deployment, problem), history: [entry] };
}

/** Starts going back from a deployment to `Journal.current`. */
export function revert(journal: Journal, failed: Deployment, problem: Problem): Step {
  return {
    journal: { ...journal, state: { name: 'reverting', failed, problem, attempts: 0 } },
    effect: { kind: 'revert', failed, to: journal.current },
    history: [],
  };
}

/** One more failed try to go back. After REVERT_ATTEMPTS the device is left to the repairs of idle. */
export function retryRevert(journal: Journal, problem: Problem, now: Moment): Step {
  if (journal.state.name !== 'reverting') return settleForRepair(journal, problem, now);
  const attempts = journal.state.attempts + 1;
  if (attempts >= REVERT_ATTEMPTS) return settleForRepair(journal, problem, now);
  return { journal: { ...journal, state: { ...journal.state, attempts } }, effect: null, history: [] };
}

/** Nothing better to go back to: idle, where repairs with backoff go on for as long as it takes. */
function settleForRepair(journal: Journal, problem: Problem, now: Moment): Step {
  const key = journal.current?.key ?? 'none';
  const settled: Journal = {
    ...journal,
    state: { name: 'idle' },
    repairs: nextBackoff(journal.repairs, { key, problem }, now),
  };
  return {
    journal: settled,
    effect: null,
    history: [historyOf(settled, 'failed', now, { ...describe(journal.current), problem })],
  };
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
