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
  return brake(journal, step, now);
}
