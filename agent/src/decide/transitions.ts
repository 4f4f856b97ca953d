import { blameOf, type Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import { nextBackoff } from './backoff.ts';
import { collected, collection, historyOfFreed } from './collection.ts';
import { begin, countRepair, settle, stopByOrder } from './idle.ts';
import type { Journal, Scheduled, State, StateName } from './journal.ts';
import { atRest, describe, enterSafe, giveUp, historyOf, retryRevert } from './outcomes.ts';
import { rest } from './safe.ts';
import { activate, afterGate, countReboot, openGate } from './swap.ts';
import type { Effect, Event, EventType, Observation, Step } from './vocabulary.ts';
import { judgeWanted, untilSwap, wantedKey } from './wanted.ts';
import { timeIn } from './window.ts';

/** Tries of an activation that fails for reasons outside the release, one a minute, before going back. */
const ACTIVATION_ATTEMPTS = 5;

interface Situation<S extends StateName, E extends EventType> {
  readonly journal: Journal & { readonly state: Extract<State, { name: S }> };
  readonly event: Extract<Event, { type: E }>;
  readonly now: Moment;
}

type Table = {
  readonly [S in StateName]: { readonly [E in EventType]: (situation: Situation<S, E>) => Step };
};
type Loose = Record<
  StateName,
  Record<EventType, (situation: { journal: Journal; event: Event; now: Moment }) => Step>
>;

/**
 * States × events, total: a missing cell does not compile. The row `observed` is the resume table: what a run does
 * that finds this state, after a crash, a power cut or simply a minute later.
 */
const table: Table = {
  idle: {
    observed: ({ journal, event, now }) => settle(journal, event.seen, now),
    repaired: ({ journal, event, now }) => countRepair(journal, event, now),
    mending: ({ journal }) => go(journal, journal.state, null),
    collected: ({ journal, event, now }) => collected(journal, event, now),
    failed: ({ journal, event, now }) => countRepair(journal, event, now),
    ...unexpected('fetched', 'pulling', 'pulled', 'marked', 'activated', 'waiting', 'passed', 'disturbed'),
  },
  staging: {
    observed: ({ journal, event, now }) => skipToLatest(journal, event.seen, now) ?? resumeStaging(journal),
    fetched: ({ journal, event: { deployment, counter } }) => {
      const { role } = deployment.release;
      return go(
        {
          ...journal,
          counters: counter === null ? journal.counters : { ...journal.counters, [role]: counter },
        },
        { name: 'staging', incoming: { ...journal.state.incoming, deployment } },
        { kind: 'pull', deployment },
      );
    },
    pulling: ({ journal }) => go(journal, journal.state, null),
    pulled: ({ journal, now }) => {
      const { deployment: next, stagedIn = now.boot } = journal.state.incoming;
      if (next === null) return resumeStaging(journal);
      const step = go(journal, { name: 'staged', next, stagedIn }, { kind: 'mark', deployment: next });
      return { ...step, history: [historyOf(step.journal, 'staged', now, describe(next))] };
    },
    collected: ({ journal, event, now }) => ({
      ...resumeStaging(journal),
      history: historyOfFreed(journal, event, now),
    }),
    failed: ({ journal, event: { problem }, now }) =>
      makeRoom(journal, problem) ?? giveUp(journal, problem, now),
    ...unexpected('marked', 'activated', 'waiting', 'passed', 'repaired', 'mending', 'disturbed'),
  },
  staged: {
    observed: ({ journal, event, now }) =>
      skipToLatest(journal, event.seen, now) ??
      go(journal, journal.state, { kind: 'mark', deployment: journal.state.next }),
    marked: ({ journal, now }) => swap(journal, now),
    failed: ({ journal, event, now }) => giveUp(journal, event.problem, now),
    ...unexpected(
      'fetched',
      'pulling',
      'pulled',
      'activated',
      'waiting',
      'passed',
      'repaired',
      'mending',
      'disturbed',
      'collected',
    ),
  },
  activating: {
    observed: ({ journal, now }) => {
      const { boot } = journal.state;
      const rebooted = boot !== undefined && boot !== now.boot;
      return rebooted ? countReboot(journal, journal.state, now) : activate(journal, journal.state, now);
    },
    activated: ({ journal, event, now }) => {
      const { next, reboots, revertedFor } = journal.state;
      const step = openGate(journal, { next, gate: { ...event.gate, reboots }, revertedFor });
      return { ...step, history: [historyOf(step.journal, 'activated', now, describe(next))] };
    },
    failed: ({ journal, event: { problem }, now }) => {
      const tried = journal.delayed?.key === journal.state.next.key ? journal.delayed.attempts : 0;
      if (blameOf(problem) === 'content' || tried + 1 >= ACTIVATION_ATTEMPTS)
        return giveUp(journal, problem, now);
      const delayed = nextBackoff(journal.delayed, { key: journal.state.next.key, problem }, now);
      return go({ ...journal, delayed }, journal.state, null);
    },
    ...unexpected(
      'fetched',
      'pulling',
      'pulled',
      'marked',
      'waiting',
      'passed',
      'repaired',
      'mending',
      'disturbed',
      'collected',
    ),
  },
  probation: {
    observed: ({ journal, now }) => resumeProbation(journal, now),
    waiting: ({ journal, event: { gate } }) => go(journal, { ...journal.state, gate }, null),
    disturbed: ({ journal, now }) => countReboot(journal, afterGate(journal.state), now),
    passed: ({ journal, now }) => pass(journal, now),
    failed: ({ journal, event: { problem }, now }) =>
      blameOf(problem) === 'content' ? giveUp(journal, problem, now) : go(journal, journal.state, null),
    ...unexpected('fetched', 'pulling', 'pulled', 'marked', 'activated', 'repaired', 'mending', 'collected'),
  },
  reverting: {
    observed: ({ journal }) =>
      go(journal, journal.state, { kind: 'revert', failed: journal.state.failed, to: journal.current }),
    activated: ({ journal, event: { gate }, now }) => {
      if (journal.current === null) return retryRevert(journal, journal.state.problem, now);
      return openGate(journal, { next: journal.current, gate, revertedFor: journal.state.problem });
    },
    passed: ({ journal, now }) => {
      const { failed, problem } = journal.state;
      const step = enterSafe(journal, { problem }, now);
      const entry = historyOf(step.journal, 'reverted', now, { ...describe(failed), problem });
      return { ...step, history: [entry, ...step.history] };
    },
    failed: ({ journal, event: { problem }, now }) => retryRevert(journal, problem, now),
    ...unexpected(
      'fetched',
      'pulling',
      'pulled',
      'marked',
      'waiting',
      'repaired',
      'mending',
      'disturbed',
      'collected',
    ),
  },
  safe: {
    observed: ({ journal, event, now }) => rest(journal, event.seen, now),
    repaired: ({ journal }) => go(journal, journal.state, null),
    mending: ({ journal }) => go(journal, journal.state, null),
    failed: ({ journal }) => go(journal, journal.state, null),
    ...unexpected(
      'fetched',
      'pulling',
      'pulled',
      'marked',
      'activated',
      'waiting',
      'passed',
      'disturbed',
      'collected',
    ),
  },
};

/** The table, for `decide`: the pairing of state and event is checked where the table is written. */
export const TRANSITIONS = table as unknown as Loose;

/** Cells that no sound run reaches. What is not understood rolls back (a rule that Mender's table taught us). */
function unexpected<E extends EventType>(
  ...events: readonly E[]
): Record<E, (situation: { journal: Journal; event: Event; now: Moment }) => Step> {
  const rollBack = ({ journal, event, now }: { journal: Journal; event: Event; now: Moment }): Step =>
    giveUp(
      journal,
      {
        code: 'loop-detected',
        what: `The agent was ${journal.state.name} when «${event.type}» happened, which cannot be`,
      },
      now,
    );
  return Object.fromEntries(events.map((event) => [event, rollBack])) as Record<E, typeof rollBack>;
}

function go(journal: Journal, state: State, effect: Effect | null): Step {
  // The same journal where nothing is new in it: it is not written again.
  return { journal: state === journal.state ? journal : { ...journal, state }, effect, history: [] };
}

/** Before the swap, the newest wins: what is on its way is dropped for what is wanted now. Null when nothing newer is. */
function skipToLatest(
  journal: Situation<'staging' | 'staged', EventType>['journal'],
  { desired, withdrawn, stop }: Observation,
  now: Moment,
): Step | null {
  const { state } = journal;
  if (stop === true) return stopByOrder(journal, now);
  const idle: Journal = { ...journal, state: atRest(journal) };
  if (desired === null) return withdrawn === true ? { journal: idle, effect: null, history: [] } : null;
  const underWay = state.name === 'staging' ? state.incoming.key : state.next.key;
  if (wantedKey(desired) === underWay) return null;
  const verdict = judgeWanted(journal, desired, now);
  if (verdict === 'in-place') return { journal: idle, effect: null, history: [] };
  return verdict === 'news' ? begin(journal, desired, now) : null;
}

/** Swaps in what is staged, or puts it aside until its window opens: meanwhile the device is idle, and heals itself. */
function swap(journal: Situation<'staged', EventType>['journal'], now: Moment): Step {
  const { next, stagedIn = now.boot } = journal.state;
  const scheduled: Scheduled = { deployment: next, stagedIn };
  const seconds = untilSwap(journal, scheduled, now);
  if (seconds === 0) return activate(journal, { next, reboots: 0, revertedFor: null }, now);
  const waiting: Journal = { ...journal, state: { name: 'idle' }, scheduled };
  const detail = `its window opens ${timeIn(seconds, now)}`;
  return {
    journal: waiting,
    effect: null,
    history: [historyOf(waiting, 'scheduled', now, { ...describe(next), detail })],
  };
}

function resumeStaging(journal: Situation<'staging', EventType>['journal']): Step {
  const { key, wanted, deployment, cleared = false } = journal.state.incoming;
  const effect: Effect =
    deployment === null
      ? { kind: 'fetch', wanted, key, floor: journal.counters }
      : { kind: 'pull', deployment, cleared };
  return go(journal, journal.state, effect);
}

/** Where an update does not fit, what nobody needs any more makes room, once. Null where that is not it. */
function makeRoom(
  { state, ...memory }: Situation<'staging', EventType>['journal'],
  problem: Problem,
): Step | null {
  if (problem.code !== 'no-space' || state.incoming.cleared === true) return null;
  const journal = { ...memory, state: { ...state, incoming: { ...state.incoming, cleared: true } } };
  return { journal, effect: collection(journal), history: [] };
}

function resumeProbation(journal: Situation<'probation', EventType>['journal'], now: Moment): Step {
  const { next, gate } = journal.state;
  if (gate.opened.boot === now.boot)
    return go(journal, journal.state, { kind: 'judge', deployment: next, gate });
  return countReboot(journal, afterGate(journal.state), now);
}

function pass(journal: Situation<'probation', EventType>['journal'], now: Moment): Step {
  const { next, revertedFor } = journal.state;
  const { safe, ...memory } = journal;
  const forward = revertedFor === null && journal.current?.key !== next.key;
  // What led into safe mode is nothing to go back to.
  const previous = forward && safe === undefined ? journal.current : journal.previous;
  const settled: Journal = {
    ...memory,
    state: { name: 'idle' },
    current: next,
    previous,
    delayed: revertedFor === null ? null : journal.delayed,
    repairs: null,
    updatedAt: forward ? now.wall : journal.updatedAt,
  };
  const fields = { ...describe(next), ...(revertedFor === null ? {} : { problem: revertedFor }) };
  const entry = historyOf(settled, revertedFor === null ? 'updated' : 'reverted', now, fields);
  return { journal: settled, effect: collection(settled), history: [entry] };
}
