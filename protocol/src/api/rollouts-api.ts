import {
  Array as List,
  Boolean as Bool,
  Enum,
  Integer,
  Null,
  Object as Obj,
  Optional,
  String as Str,
  Union,
  type Static,
  type TSchema,
} from 'typebox';
import { CommitSchema, DeviceNameSchema, IdSchema, RoleNameSchema, TimeSchema } from '../names.ts';
import { ProblemSchema } from '../status.ts';
import { PageQuery } from './paging.ts';
import { SEGMENTS } from './segments.ts';

const orNull = <S extends TSchema>(schema: S) => Union([schema, Null()]);
const Count = Integer({ minimum: 0 });

/**
 * running ⇄ paused; running → done | halted | superseded; paused → halted | superseded.
 * `halted`: its failures stopped it, or an operator; the devices that took it go back.
 */
export const ROLLOUT_STATES = ['running', 'paused', 'done', 'halted', 'superseded'] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** How one device stands in a rollout. `offline` devices block nothing; `returned` ones went back after a halt. */
export const ROLLOUT_DEVICE_STATES = ['pending', 'updating', 'healthy', 'failed', 'returned'] as const;
export type RolloutDeviceState = (typeof ROLLOUT_DEVICE_STATES)[number];

export const StageCountsSchema = Obj({
  /** Devices of the stage. */
  total: Count,
  pending: Count,
  updating: Count,
  healthy: Count,
  failed: Count,
  /** Of the pending ones: not reachable now. */
  offline: Count,
});
export type StageCounts = Static<typeof StageCountsSchema>;

export const RolloutStageSchema = Obj({
  /** Name of the lane: the segment, or `50 % of general`. */
  name: Str(),
  segment: Enum(SEGMENTS),
  state: Enum(['waiting', 'open', 'soaking', 'passed']),
  /** Seconds that it must hold after the gate is met. */
  soakSeconds: Count,
  maxFailedPercent: Count,
  promotion: Enum(['automatic', 'manual']),
  openedAt: orNull(TimeSchema),
  soakEndsAt: orNull(TimeSchema),
  counts: StageCountsSchema,
  /** The gate as measured now, in one sentence, from the planner. */
  gate: Str(),
});
export type RolloutStage = Static<typeof RolloutStageSchema>;

export const RolloutSummarySchema = Obj({
  id: IdSchema,
  role: RoleNameSchema,
  release: IdSchema,
  commit: CommitSchema,
  subject: Str(),
  author: Str(),
  /** What the role ran before; null for its first release. */
  from: orNull(CommitSchema),
  state: Enum(ROLLOUT_STATES),
  /** Why it is not running any more, or paused: names the pattern. */
  reason: orNull(Str()),
  createdBy: Str(),
  createdAt: TimeSchema,
  finishedAt: orNull(TimeSchema),
  stages: List(RolloutStageSchema),
});
export type RolloutSummary = Static<typeof RolloutSummarySchema>;

export const RolloutsQuerySchema = Obj({
  ...PageQuery,
  role: Optional(RoleNameSchema),
  open: Optional(Bool()),
});
export const StartRolloutSchema = Obj({ release: IdSchema });
/** Why a person does something, for the audit and for the next person. */
export const ReasonSchema = Obj({ reason: Optional(Str({ maxLength: 500 })) });

export const RolloutDeviceSchema = Obj({
  device: IdSchema,
  name: DeviceNameSchema,
  segment: Enum(SEGMENTS),
  /** Index of the stage that covers it. */
  stage: Count,
  state: Enum(ROLLOUT_DEVICE_STATES),
  online: Bool(),
  at: orNull(TimeSchema),
  problem: orNull(ProblemSchema),
});
export type RolloutDevice = Static<typeof RolloutDeviceSchema>;
export const RolloutDevicesQuerySchema = Obj({
  ...PageQuery,
  state: Optional(Enum(ROLLOUT_DEVICE_STATES)),
});
