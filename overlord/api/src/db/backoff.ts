/** Longest wait, in milliseconds. */
const LONGEST = 30_000;

/**
 * Milliseconds to wait before try number `attempt` (from 1): a tenth of a second, doubled each time up to half a
 * minute, shortened by up to a half so that many who lost the same server do not return at once. `random` is in [0, 1).
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(100 * 2 ** (attempt - 1), LONGEST);
  return Math.round(full * (1 - random / 2));
}
