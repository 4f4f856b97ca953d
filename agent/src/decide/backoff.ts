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

/** Seconds until a source that did not answer is asked again for the first time. */
const FIRST_ASKING = 45;

/** A source that has not answered. */
export interface Vain {
  /** How often it was asked, this time included. */
  readonly tries: number;
  /** Seconds since it was asked in vain for the first time. */
  readonly silentFor: number;
  /** Seconds between two runs when nothing is the matter. */
  readonly interval: number;
}

/**
 * Seconds until a source that did not answer is asked again: 45, doubled each time up to the role's interval. The
 * longer it lasts the less it matters when it ends: past that, up to an eighth of the silence, at most an hour. Spread
 * by up to a quarter.
 */
export function pauseBeforeAsking({ tries, silentFor, interval }: Vain, { boot }: Moment): number {
  const longest = Math.max(interval, Math.min(silentFor / 8, LONGEST));
  const exponential = Math.min(FIRST_ASKING * 2 ** Math.min(tries - 1, 20), longest);
  return Math.round(exponential * (1 + jitter(`${boot} ${tries}`) / 4));
}

/** A number in [0, 1) that differs between devices (the boot id is in the seed) and needs no randomness here. */
function jitter(seed: string): number {
  return Number.parseInt(digestOf(seed).slice(0, 8), 16) / 2 ** 32;
}
