import type { Stage } from '@metrica-fleet/protocol';
import type { StageCounts } from '@metrica-fleet/protocol/api';

/**
 * The gate of one stage as measured now.
 * - `empty`: no device at all; there is nothing to wait for.
 * - `exceeded`: more failures than allowed; nothing more to wait for either.
 * - `waiting`: somebody reachable has not tried yet, or nobody has.
 * - `nearly`: somebody reachable has not tried yet, but if all of those failed, the gate would hold all the same.
 * - `met`: somebody is healthy, everybody reachable has tried, and failures are within the threshold.
 */
export type Gate = 'empty' | 'exceeded' | 'waiting' | 'nearly' | 'met';

/** Devices that have come to an end with the release, one way or the other. */
export function triedOf({ healthy, failed }: StageCounts): number {
  return healthy + failed;
}

/** Devices that are reachable and have not come to an end: they are waited for. Absent ones never are. */
export function waitedFor({ pending, updating, offline }: StageCounts): number {
  return pending - offline + updating;
}

/** Measures the gate of a stage. */
export function measureGate(stage: Stage, counts: StageCounts): Gate {
  if (counts.total === 0) return 'empty';
  const tried = triedOf(counts);
  if (isBeyond(stage, counts.failed, tried)) return 'exceeded';
  if (counts.healthy === 0) return 'waiting';
  const waiting = waitedFor(counts);
  if (waiting === 0) return 'met';
  return isBeyond(stage, counts.failed + waiting, tried + waiting) ? 'waiting' : 'nearly';
}

function isBeyond({ maxFailedPercent }: Stage, failed: number, tried: number): boolean {
  return failed * 100 > maxFailedPercent * tried;
}
