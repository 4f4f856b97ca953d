import type { Stage } from '@metrica-fleet/protocol';

/** Name of a stage for people: its segment, or `50 % of general`. */
export function stageName(stages: readonly Stage[], index: number): string {
  const stage = stages[index];
  if (stage === undefined) return `stage ${index + 1}`;
  return stage.percent === 100 ? stage.segment : `${stage.percent} % of ${stage.segment}`;
}
