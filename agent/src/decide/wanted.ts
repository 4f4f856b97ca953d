import { digestOfJson } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';
import { isOver } from './backoff.ts';
import type { Journal, Scheduled } from './journal.ts';
import { opensIn } from './window.ts';

/**
 * Identity of what is wanted, before its files are here: role, commit, and the values that sites and devices give.
 * The same content at a later commit is a new release, hence wanted anew, even where the former one was quarantined.
 */
export function wantedKey({ role, commit, layers }: Desired): string {
  return digestOfJson({ role, commit, layers });
}

/** Why a desired state is or is not acted upon: the same answer drives the agent and explains it. */
export type Verdict = 'nothing-known' | 'in-place' | 'quarantined' | 'waiting' | 'scheduled' | 'news';

/** Judges what is wanted against what runs, what failed before and what must wait. */
export function judgeWanted(journal: Journal, desired: Desired | null, now: Moment): Verdict {
  if (desired === null) return 'nothing-known';
  const key = wantedKey(desired);
  if (journal.current?.key === key) return 'in-place';
  if (journal.quarantine.some((entry) => entry.key === key)) return 'quarantined';
  if (journal.delayed?.key === key && !isOver(journal.delayed, now)) return 'waiting';
  if (journal.scheduled?.deployment.key === key && untilSwap(journal, journal.scheduled, now) > 0)
    return 'scheduled';
  return 'news';
}

/**
 * Seconds until what is staged may be swapped in: by the window of its own role, so that a window can be corrected by
 * a push. A device that runs nothing that is worth keeping up waits for none.
 */
export function untilSwap(journal: Journal, { deployment, stagedIn }: Scheduled, now: Moment): number {
  const { window } = deployment;
  if (window === undefined || journal.current === null || journal.safe !== undefined) return 0;
  if (window.orNextBoot && stagedIn !== now.boot) return 0;
  return opensIn(window, now);
}
