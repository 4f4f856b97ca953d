import { blameOf, type Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import { nextBackoff } from './backoff.ts';
import { begin, countRepair, settle } from './idle.ts';
import type { Deployment, Gate, Journal, State, StateName } from './journal.ts';
import { describe, giveUp, historyOf, retryRevert } from './outcomes.ts';
import type { Effect, Event, EventType, Observation, Step } from './vocabulary.ts';
import { judgeWanted, wantedKey } from './wanted.ts';

/** Three reboots between swap and verdict are a failed gate: a release that crashes the machine looks like a power cut each time. */
const MAX_REBOOTS = 3;
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
    repaired: ({ journal, now }) => countRepair(journal, null, now),
    failed: ({ journal, event, now }) => countRepair(journal, event.problem, now),
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
      const next = journal.state.incoming.deployment;
      if (next === null) return resumeStaging(journal);
      const step = go(journal, { name: 'staged', next }, { kind: 'mark', deployment: next });
      return { ...step, history: [historyOf(step.journal, 'staged', now, describe(next))] };
    },
    failed: ({ journal, event, now }) => giveUp(journal, event.problem, now),
    ...unexpected('marked', 'activated', 'waiting', 'passed', 'repaired', 'disturbed'),
  },
  staged: {
    observed: ({ journal, event, now }) =>
      skipToLatest(journal, event.seen, now) ??
      go(journal, journal.state, { kind: 'mark', deployment: journal.state.next }),
    marked: ({ journal, now }) =>
      activate(journal, { next: journal.state.next, reboots: 0, revertedFor: null }, now),
    failed: ({ journal, event, now }) => giveUp(journal, event.problem, now),
    ...unexpected('fetched', 'pulling', 'pulled', 'activated', 'waiting', 'passed', 'repaired', 'disturbed'),
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
    ...unexpected('fetched', 'pulling', 'pulled', 'marked', 'waiting', 'passed', 'repaired', 'disturbed'),
  },
  probation: {
    observed: ({ journal, now }) => resumeProbation(journal, now),
    waiting: ({ journal, event: { gate } }) => go(journal, { ...journal.state, gate }, null),
    disturbed: ({ journal, now }) => countReboot(journal, afterGate(journal.state), now),
    passed: ({ journal, now }) => pass(journal, now),
    failed: ({ journal, event: { problem }, now }) =>
      blameOf(problem) === 'content' ? giveUp(journal, problem, now) : go(journal, journal.state, null),
    ...unexpected('fetched', 'pulling', 'pulled', 'marked', 'activated', 'repaired'),
  },
  reverting: {
    observed: ({ journal }) =>
      go(journal, journal.state, { kind: 'revert', failed: journal.state.failed, to: journal.current }),
    activated: ({ journal, event: { gate }, now }) => {
      if (journal.current === null) return retryRevert(journal, journal.state.problem, now);
      return openGate(journal, { next: journal.current, gate, revertedFor: journal.state.problem });
    },
    passed: ({ journal, now }) => {
      const step = go(journal, { name: 'idle' }, null);
      const { failed, problem } = journal.state;
      return {
        ...step,
        history: [historyOf(step.journal, 'reverted', now, { ...describe(failed), problem })],
      };
    },
    failed: ({ journal, event: { problem }, now }) => retryRevert(journal, problem, now),
    ...unexpected('fetched', 'pulling', 'pulled', 'marked', 'waiting', 'repaired', 'disturbed'),
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
  return { journal: { ...journal, state }, effect, history: [] };
}

/** Before the swap, the newest wins: what is on its way is dropped for what is wanted now. Null when nothing newer is. */
function skipToLatest(journal: Journal, { desired, withdrawn }: Observation, now: Moment): Step | null {
  const { state } = journal;
  if (state.name !== 'staging' && state.name !== 'staged') return null;
  if (desired === null) {
    return withdrawn === true
      ? { journal: { ...journal, state: { name: 'idle' } }, effect: null, history: [] }
      : null;
  }
  const underWay = state.name === 'staging' ? state.incoming.key : state.next.key;
  if (wantedKey(desired) === underWay) return null;
  const verdict = judgeWanted(journal, desired, now);
  const idle: Journal = { ...journal, state: { name: 'idle' } };
  if (verdict === 'in-place') return { journal: idle, effect: null, history: [] };
  return verdict === 'news' ? begin(journal, desired, now) : null;
}

function resumeStaging(journal: Situation<'staging', EventType>['journal']): Step {
  const { key, wanted, deployment } = journal.state.incoming;
  const effect: Effect =
    deployment === null
      ? { kind: 'fetch', wanted, key, floor: journal.counters }
      : { kind: 'pull', deployment };
  return go(journal, journal.state, effect);
}

interface Activation {
  readonly next: Deployment;
  readonly reboots: number;
  readonly revertedFor: Problem | null;
}

function activate(journal: Journal, { next, reboots, revertedFor }: Activation, now: Moment): Step {
  const from = revertedFor === null ? journal.current : null;
  return go(
    journal,
    { name: 'activating', next, reboots, boot: now.boot, revertedFor },
    { kind: 'activate', deployment: next, from },
  );
}

function openGate(
  journal: Journal,
  { next, gate, revertedFor }: { next: Deployment; gate: Gate; revertedFor: Problem | null },
): Step {
  return go(
    journal,
    { name: 'probation', next, gate, revertedFor },
    { kind: 'judge', deployment: next, gate },
  );
}

function resumeProbation(journal: Situation<'probation', EventType>['journal'], now: Moment): Step {
  const { next, gate } = journal.state;
  if (gate.opened.boot === now.boot)
    return go(journal, journal.state, { kind: 'judge', deployment: next, gate });
  return countReboot(journal, afterGate(journal.state), now);
}

function afterGate({ next, gate, revertedFor }: Extract<State, { name: 'probation' }>): Activation {
  return { next, reboots: gate.reboots, revertedFor };
}

/** Activates once more after a reboot or a restart of the engine, unless that has happened too often. */
function countReboot(journal: Journal, { next, reboots, revertedFor }: Activation, now: Moment): Step {
  const counted = reboots + 1;
  if (counted < MAX_REBOOTS) return activate(journal, { next, reboots: counted, revertedFor }, now);
  const problem: Problem = {
    code: 'reboot-loop',
    what: `The device or its Docker engine restarted ${counted} times before the release had proved itself`,
    remedy:
      'Look for a crash of the kernel or an undervoltage: `journalctl -k -b -1`, `journalctl -u docker`.',
  };
  return giveUp(journal, problem, now);
}

function pass(journal: Situation<'probation', EventType>['journal'], now: Moment): Step {
  const { next, revertedFor } = journal.state;
  const forward = revertedFor === null && journal.current?.key !== next.key;
  const previous = forward ? journal.current : journal.previous;
  const settled: Journal = {
    ...journal,
    state: { name: 'idle' },
    current: next,
    previous,
    delayed: revertedFor === null ? null : journal.delayed,
    repairs: null,
    updatedAt: forward ? now.wall : journal.updatedAt,
  };
  const keep = [next, ...(previous === null ? [] : [previous])];
  const fields = { ...describe(next), ...(revertedFor === null ? {} : { problem: revertedFor }) };
  const entry = historyOf(settled, revertedFor === null ? 'updated' : 'reverted', now, fields);
  return { journal: settled, effect: { kind: 'collect', keep }, history: [entry] };
}
