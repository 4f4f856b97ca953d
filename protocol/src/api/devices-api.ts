import {
  Array as List,
  Boolean as Bool,
  Enum,
  Integer,
  Null,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Tuple,
  Union,
  type Static,
  type TSchema,
} from 'typebox';
import { CommitSchema, DeviceNameSchema, IdSchema, RoleNameSchema, TimeSchema } from '../names.ts';
import { ProblemSchema, StatusSchema } from '../status.ts';
import { EvidenceSchema, ORDER_KINDS, REPORT_KINDS } from './device-api.ts';
import { DEVICE_STATES } from './device-state.ts';
import { PageQuery } from './paging.ts';
import { SEGMENTS } from './segments.ts';

const orNull = <S extends TSchema>(schema: S) => Union([schema, Null()]);
const Labels = Record(Str({ pattern: '^[a-z0-9][a-z0-9_.-]{0,62}$' }), Str({ maxLength: 200 }), {
  maxProperties: 50,
});

/** Whether the fleet has taken a device in: `waiting` for an operator, `active`, or `revoked` for good. */
export const MEMBERSHIPS = ['waiting', 'active', 'revoked'] as const;

export const DeviceSummarySchema = Obj({
  id: IdSchema,
  name: DeviceNameSchema,
  membership: Enum(MEMBERSHIPS),
  state: Enum(DEVICE_STATES),
  role: orNull(RoleNameSchema),
  site: orNull(DeviceNameSchema),
  segment: Enum(SEGMENTS),
  running: orNull(CommitSchema),
  wanted: orNull(CommitSchema),
  /** The worst problem in one sentence. */
  problem: orNull(Str()),
  lastSeenAt: orNull(TimeSchema),
  agentVersion: orNull(Str()),
});
export type DeviceSummary = Static<typeof DeviceSummarySchema>;

export const DeviceDetailSchema = Obj({
  ...DeviceSummarySchema.properties,
  labels: Labels,
  updatesOff: Bool(),
  online: Bool(),
  /** A stream of signals is open. */
  connected: Bool(),
  evidence: EvidenceSchema,
  enrolledAt: TimeSchema,
  enrolledBy: Str(),
  status: orNull(StatusSchema),
});
export type DeviceDetail = Static<typeof DeviceDetailSchema>;

export const DevicesQuerySchema = Obj({
  ...PageQuery,
  state: Optional(Enum(DEVICE_STATES)),
  /** Default: active; with `enrolmentToken`: any. */
  membership: Optional(Enum(MEMBERSHIPS)),
  role: Optional(RoleNameSchema),
  site: Optional(DeviceNameSchema),
  segment: Optional(Enum(SEGMENTS)),
  commit: Optional(CommitSchema),
  /** Code of a problem, as `health-failed`. */
  problem: Optional(Str({ maxLength: 64 })),
  /** Came with this enrolment token. */
  enrolmentToken: Optional(IdSchema),
  /** Part of the name. */
  q: Optional(Str({ maxLength: 64 })),
});
export type DevicesQuery = Static<typeof DevicesQuerySchema>;

export const UpdateDeviceSchema = Obj(
  {
    name: Optional(DeviceNameSchema),
    role: Optional(RoleNameSchema),
    site: Optional(orNull(DeviceNameSchema)),
    segment: Optional(Enum(SEGMENTS)),
    labels: Optional(Labels),
    updatesOff: Optional(Bool()),
  },
  { minProperties: 1 },
);
export type UpdateDevice = Static<typeof UpdateDeviceSchema>;

/** Every active device as a row of the tile map: id, name, state, role, segment, site, commit that runs. */
export const DeviceMapSchema = Obj({
  time: TimeSchema,
  devices: List(
    Tuple([
      IdSchema,
      DeviceNameSchema,
      Enum(DEVICE_STATES),
      orNull(RoleNameSchema),
      Enum(SEGMENTS),
      orNull(DeviceNameSchema),
      orNull(CommitSchema),
    ]),
  ),
});
export type DeviceMap = Static<typeof DeviceMapSchema>;

/** Why a device gets what it gets: every rule that was looked at, in order, from the code that decides. */
export const ExplanationSchema = Obj({
  device: IdSchema,
  /** What a check-in would be answered with; null: nothing. */
  desired: orNull(Obj({ role: RoleNameSchema, commit: CommitSchema, rollout: orNull(IdSchema) })),
  rules: List(
    Obj({
      rule: Str(),
      /** `decides`: the search ended here. `passes`: looked at, and the next rule is asked. `notes`: good to know. */
      verdict: Enum(['decides', 'passes', 'notes']),
      text: Str(),
    }),
  ),
});
export type Explanation = Static<typeof ExplanationSchema>;

/** One line of a device's timeline: what it reported, and what was done to it. */
export const DeviceEventSchema = Obj({
  id: Str(),
  at: TimeSchema,
  device: IdSchema,
  deviceName: DeviceNameSchema,
  kind: Enum([...REPORT_KINDS, 'enrolled', 'approved', 'revoked', 'changed', 'ordered']),
  role: orNull(RoleNameSchema),
  commit: orNull(CommitSchema),
  /** One sentence. */
  text: Str(),
  problem: orNull(ProblemSchema),
  hasLog: Bool(),
});
export type DeviceEvent = Static<typeof DeviceEventSchema>;

export const RunLogSchema = Obj({ event: Str(), lines: List(Str()) });

export const CreateOrderSchema = Obj({
  kind: Enum(ORDER_KINDS),
  service: Optional(Str({ minLength: 1, maxLength: 128 })),
  /** Minutes until it is not delivered any more. Default: 60. */
  minutes: Optional(Integer({ minimum: 1, maximum: 43_200 })),
});
export const OrderStateSchema = Obj({
  id: IdSchema,
  kind: Enum(ORDER_KINDS),
  service: orNull(Str()),
  state: Enum(['queued', 'delivered', 'done', 'failed', 'expired']),
  createdBy: Str(),
  createdAt: TimeSchema,
  expiresAt: TimeSchema,
  detail: orNull(Str()),
});
export type OrderState = Static<typeof OrderStateSchema>;
