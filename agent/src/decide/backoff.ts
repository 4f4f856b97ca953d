import { digestOf, type Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Backoff } from './journal.ts';

/** First wait and longest wait, in seconds. */
const FIRST = 30;
const LONGEST = 3_600;

/**
 * The next backoff after one more failure of the same thing: `first` seconds (30), doubled each time up to an hour,
 * spread by up to a quarter.
 */
export function nextBackoff(
  before: Backoff | null,
  failure: { readonly key: string; readonly problem: Problem; readonly first?: number },
  now: Moment,
): Backoff {
  const attempts = before?.key === failure.key ? before.attempts + 1 : 1;
  const exponential = Math.min((failure.first ?? FIRST) * 2 ** (attempts - 1), LONGEST);
  const wait = Math.round(exponential * (1 + jitter(`${failure.key} ${now.boot} ${attempts}`) / 4));
  return { key: failure.key, attempts, last: now, wait, problem: failure.problem };
}

/** True when the next try may start. A reboot ends every wait: the world may have changed, and uptime began anew. */
export function isOver(backoff: Backoff, now: Moment): boolean {
  return remaining(backoff, now) === 0;
}

/** Seconds until the next try may start. */
export function remaining(backoff: Backoff, now: Moment): number {
  if (backoff.last.boot !== now.boot) return 0;
  return Math.max(0, backoff.last.uptime + backoff.wait - now.uptime);
}

/** A number in [0, 1) that differs between devices (the boot id is in the seed) and needs no randomness here. */
function jitter(seed: string): number {
  return Number.parseInt(digestOf(seed).slice(0, 8), 16) / 2 ** 32;
}
