import type { Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Journal } from './journal.ts';
import { giveUp } from './outcomes.ts';
import type { Step } from './vocabulary.ts';

/** More changes of state than this without coming to rest is a loop. An update without trouble takes five. */
export const MAX_HOPS = 50;

/** Counts changes of state since the last idle and ends a loop by giving up on what is under way (invariant A9). */
export function brake(before: Journal, step: Step, now: Moment): Step {
  const { journal } = step;
  if (journal.state.name === 'idle' || journal.state.name === 'safe') return withHops(step, 0);
  if (journal.state.name === before.state.name) return withHops(step, before.hops);
  if (before.hops < MAX_HOPS) return withHops(step, before.hops + 1);
  const problem: Problem = {
    code: 'loop-detected',
    what: `The update changed its state ${MAX_HOPS} times without an end, last from ${before.state.name} to ${journal.state.name}`,
    remedy: 'Look at `role-agent history`; push a newer commit to try again.',
  };
  return withHops(giveUp({ ...journal, hops: 0 }, problem, now), 0);
}

function withHops(step: Step, hops: number): Step {
  return step.journal.hops === hops ? step : { ...step, journal: { ...step.journal, hops } };
}
