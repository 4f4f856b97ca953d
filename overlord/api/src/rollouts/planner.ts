import { countedDevices } from './counted.ts';
import { secondsSince } from './elapsed.ts';
import { measureGate, triedOf, waitedFor } from './gate.ts';
import { NOBODY, type Rollout, type Seen, type Transition } from './rollout.ts';
import { stageName } from './stage-name.ts';

/**
 * What happens to a rollout next, or null when there is nothing to do but wait. Pure: the caller makes it so, counts
 * again, and asks again until the answer is null. Asked twice about the same, it says the same.
 *
 * Invariants, held by test/rollouts/planner.test.ts:
 * - R1 A stage is opened only after somebody was healthy in a stage before it, the first excepted.
 * - R2 Failures beyond the threshold of any stage that is open halt the rollout before anything else happens.
 * - R3 What is absent is never waited for.
 * - R4 A rollout that has ended is never touched again.
 */
export function plan(rollout: Rollout, seen: Seen, now: Date): Transition | null {
  const { state, stages, progress } = rollout;
  if (state !== 'running' && state !== 'paused') return null;
  const broken = stages.findIndex(
    (stage, index) => index < progress.length && measureGate(stage, countsOf(seen, index)) === 'exceeded',
  );
  if (broken !== -1) return { kind: 'halt', stage: broken };
  if (state === 'paused') return null;
  if (progress.length === 0)
    return seen.roleDevices === 'none' ? { kind: 'done' } : { kind: 'open', stage: 0 };
  return planStage(rollout, seen, now);
}

/** The stage that was opened last: wait, soak, pass or give up. */
function planStage(rollout: Rollout, seen: Seen, now: Date): Transition | null {
  const index = rollout.progress.length - 1;
  const stage = rollout.stages[index];
  const progress = rollout.progress[index];
  if (stage === undefined || progress === undefined) return null;

  const counts = countsOf(seen, index);
  const gate = measureGate(stage, counts);
  if (gate === 'empty' && (index > 0 || seen.roleDevices === 'none')) return pass(rollout, index);
  if (gate === 'empty' && seen.roleDevices === 'some') return { kind: 'stand-in' };

  const late = secondsSince(progress.openedAt, now) >= stage.timeout;
  // Where devices come and go all day, somebody is always about to try. Those few are not waited for for ever, nor do
  // they break a soak, while the threshold would hold even if all of them failed.
  const holds = gate === 'met' || (gate === 'nearly' && (progress.metSince !== null || late));
  if (!holds) {
    if (progress.metSince !== null) return { kind: 'break-soak', stage: index };
    return late ? { kind: 'pause', reason: whyLate(rollout, seen, index) } : null;
  }
  if (progress.metSince === null) return { kind: 'soak', stage: index };
  if (stage.promotion === 'manual' || secondsSince(progress.metSince, now) < stage.soak) return null;
  return pass(rollout, index);
}

/** What comes after a stage: also what an operator's «promote» does, gate or no gate. */
export function pass({ stages }: Rollout, index: number): Transition {
  return index + 1 < stages.length ? { kind: 'open', stage: index + 1 } : { kind: 'done' };
}

function whyLate({ stages }: Rollout, seen: Seen, index: number): string {
  const counts = countsOf(seen, index);
  const name = stageName(stages, index);
  if (triedOf(counts) === 0) {
    return `No device of ${name} has tried the release in its time (${counts.offline} of ${counts.total} are offline)`;
  }
  const waiting = waitedFor(counts);
  if (waiting === 0) return `No device of ${name} has become healthy with the release in its time`;
  const has = waiting === 1 ? 'has' : 'have';
  return `${countedDevices(waiting, 'reachable')} of ${name} ${has} not come to an end with the release in its time`;
}

function countsOf(seen: Seen, index: number): Seen['counts'][number] {
  return seen.counts[index] ?? NOBODY;
}
