import type { StageProgress } from '../db/schema.ts';
import { SEGMENTS, type Segment } from '@metrica-fleet/protocol/api';
import { SHARE_SCALE, shareOf, type Stage } from '@metrica-fleet/protocol';

/** A device as stages see it. */
export interface Coverable {
  readonly id: string;
  readonly segment: Segment;
}

/**
 * Index of the first stage that covers a device, or null when none does. A stage covers its share of its segment, and
 * all segments before it: who was left out of canary and early is not left out for ever.
 */
export function stageOf(stages: readonly Stage[], releaseId: string, device: Coverable): number | null {
  let share: number | undefined;
  const index = stages.findIndex((stage) => {
    const distance = SEGMENTS.indexOf(device.segment) - SEGMENTS.indexOf(stage.segment);
    if (distance !== 0) return distance < 0;
    if (stage.percent >= 100) return true;
    share ??= shareOf(device.id, releaseId);
    return share < (stage.percent * SHARE_SCALE) / 100;
  });
  return index === -1 ? null : index;
}

/** What covers a device in a rollout that is open: see stageCovering. */
export interface Reach {
  readonly stages: readonly Stage[];
  readonly progress: readonly StageProgress[];
  readonly releaseId: string;
}

/** Index of the stage by which an open rollout has reached a device; null when it has not yet. */
export function stageCovering({ stages, progress, releaseId }: Reach, device: Coverable): number | null {
  if (progress[0]?.standIn === device.id) return 0;
  const index = stageOf(stages, releaseId, device);
  return index !== null && index < progress.length ? index : null;
}
