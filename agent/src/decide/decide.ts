import type { Moment } from '../ports/clock.ts';
import type { Journal } from './journal.ts';
import { TRANSITIONS } from './transitions.ts';
import type { Event, Step } from './vocabulary.ts';
import { brake } from './brake.ts';

/**
 * The whole mind of the agent: what it remembers and what happened, to what it will remember and do next.
 * Pure: same arguments, same step. SPEC.md prints the table; TRANSITIONS is the table.
 */
export function decide(journal: Journal, event: Event, now: Moment): Step {
  const step = TRANSITIONS[journal.state.name][event.type]({ journal, event, now });
  return numbered(journal, brake(journal, step, now));
}

function numbered({ lines = 0 }: Journal, step: Step): Step {
  if (step.history.length === 0) return step;
  return { ...step, journal: { ...step.journal, lines: lines + step.history.length } };
}
