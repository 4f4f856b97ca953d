import { Array as List, Enum, Integer, Object as Obj, Optional, type Static } from 'typebox';
import { SEGMENTS, type Segment } from './api/segments.ts';
import { DurationSchema, seconds } from './duration.ts';

const strict = { additionalProperties: false } as const;

const StageFileSchema = Obj(
  {
    segment: Enum(SEGMENTS),
    percent: Optional(Integer({ minimum: 1, maximum: 100 })),
    soak: Optional(DurationSchema),
    max_failed_percent: Optional(Integer({ minimum: 0, maximum: 100 })),
    promotion: Optional(Enum(['automatic', 'manual'])),
    timeout: Optional(DurationSchema),
  },
  strict,
);

/** `fleet.yaml` at the root of the fleet repo: how releases go out. All of it may be left out. */
export const FleetFileSchema = Obj(
  {
    rollout: Optional(
      Obj({ stages: Optional(List(StageFileSchema, { minItems: 1, maxItems: 20 })) }, strict),
    ),
  },
  strict,
);
export type FleetFile = Static<typeof FleetFileSchema>;

/** One stage of a rollout. */
export interface Stage {
  readonly segment: Segment;
  /** Share of the segment's devices, in percent; stages of one segment add to one another and only grow. */
  readonly percent: number;
  /** Seconds without a failure beyond the threshold, after the last device that was reachable has tried. */
  readonly soak: number;
  /** More failures than this, of those that tried, halt the rollout. Percent. */
  readonly maxFailedPercent: number;
  readonly promotion: 'automatic' | 'manual';
  /** Seconds in which somebody must have tried; else the rollout pauses: no promotion on no evidence. */
  readonly timeout: number;
}

const COMMON = { percent: 100, promotion: 'automatic', timeout: 86_400 } as const;
const USUAL: Readonly<Record<Segment, Stage>> = {
  canary: { ...COMMON, segment: 'canary', soak: 600, maxFailedPercent: 0 },
  early: { ...COMMON, segment: 'early', soak: 600, maxFailedPercent: 5 },
  general: { ...COMMON, segment: 'general', soak: 0, maxFailedPercent: 5 },
};

/** How a fleet without `fleet.yaml` rolls out. */
export const DEFAULT_STAGES: readonly Stage[] = SEGMENTS.map((segment) => USUAL[segment]);

/** The stages that a fleet file asks for. What a stage leaves out is as in the default of its segment. */
export function stagesOf({ rollout }: FleetFile): readonly Stage[] {
  if (rollout?.stages === undefined) return DEFAULT_STAGES;
  return rollout.stages.map((stage) => {
    const usual = USUAL[stage.segment];
    return {
      segment: stage.segment,
      percent: stage.percent ?? usual.percent,
      soak: stage.soak === undefined ? usual.soak : seconds(stage.soak),
      maxFailedPercent: stage.max_failed_percent ?? usual.maxFailedPercent,
      promotion: stage.promotion ?? usual.promotion,
      timeout: stage.timeout === undefined ? usual.timeout : seconds(stage.timeout),
    };
  });
}
