import type { Moment } from '../ports/clock.ts';
import { isOver, nextBackoff } from './backoff.ts';
import type { Deployment, Journal } from './journal.ts';
import { historyOf } from './outcomes.ts';
import type { Effect, Event, HistoryEntry, Observation, Step } from './vocabulary.ts';

/** Tries to remove what is not needed, before the next update or a full disk gives reason to try again. */
const COLLECT_ATTEMPTS = 5;

/** Removes what no deployment needs that may still be: what runs, what it goes back to, what waits or is on its way. */
export function collection(journal: Journal): Effect {
  const { state, current, previous, scheduled } = journal;
  const underWay =
    state.name === 'staging' ? state.incoming.deployment : state.name === 'staged' ? state.next : null;
  const keep = [current, previous, scheduled?.deployment ?? null, underWay].filter((one) => one !== null);
  const byKey = new Map<string, Deployment>(keep.map((deployment) => [deployment.key, deployment]));
  return { kind: 'collect', keep: [...byKey.values()] };
}

/**
 * What a device at rest has left behind: after an update, however it ended, and where the disk is nearly full. Null
 * where there is nothing to do, or not yet: an update that is tried again, or waits for its window, is not over.
 */
export function tidy(journal: Journal, seen: Observation, now: Moment): Step | null {
  const { litter, delayed, scheduled } = journal;
  const cramped = seen.cramped === true;
  if (litter === undefined && !cramped) return null;
  if (litter === 'due' && (delayed !== null || scheduled !== undefined) && !cramped) return null;
  if (litter !== undefined && litter !== 'due') {
    const exhausted = litter.attempts >= COLLECT_ATTEMPTS && !cramped;
    if (exhausted || !isOver(litter, now)) return null;
  }
  return { journal, effect: collection(journal), history: [] };
}

/** Remembers that nothing is left over, or that the next try has to wait; tells of images that are gone. */
export function collected(journal: Journal, event: Extract<Event, { type: 'collected' }>, now: Moment): Step {
  const { problem } = event;
  const { litter, ...rest } = journal;
  const before = litter === undefined || litter === 'due' ? null : litter;
  const next: Journal =
    problem === null ? rest : { ...rest, litter: nextBackoff(before, { key: 'collect', problem }, now) };
  // The same journal where nothing is new in it: it is not written again.
  const same = problem === null && litter === undefined;
  return { journal: same ? journal : next, effect: null, history: historyOfFreed(journal, event, now) };
}

/** A line where images are gone: they are large, and somebody may look for them. */
export function historyOfFreed(
  journal: Journal,
  { images, bytes }: Extract<Event, { type: 'collected' }>,
  now: Moment,
): readonly HistoryEntry[] {
  if (images.length === 0) return [];
  const detail = `${Math.round(bytes / 1024 ** 2)} MiB freed: ${images.join(', ')}`;
  return [historyOf(journal, 'collected', now, { detail })];
}
