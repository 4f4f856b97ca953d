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
