import {
  Array as List,
  Boolean as Bool,
  Object as Obj,
  Optional,
  String as Str,
  type TSchema,
} from 'typebox';
import { DigestSchema, IdSchema } from '../names.ts';
import * as device from './device-api.ts';
import * as devices from './devices-api.ts';
import * as enrolment from './enrolment-api.ts';
import * as operators from './operators-api.ts';
import { OverviewSchema } from './overview-api.ts';
import { Page, PageQuery } from './paging.ts';
import * as releases from './releases-api.ts';
import * as rollouts from './rollouts-api.ts';
import type { RouteName } from './routes.ts';

/** What goes into a route and what comes out. Without `reply`: nothing (204), or bytes, a stream, text of another kind. */
export interface Message {
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly reply?: TSchema;
  /** Largest body. Bytes; default 64 KiB. */
  readonly bodyLimit?: number;
}

const byId = Obj({ id: IdSchema });
const paged = Obj(PageQuery);

/** The messages of every route in ROUTES, under the same name. */
export const MESSAGES = {
  enrol: { body: device.EnrolRequestSchema, reply: device.EnrolReplySchema },
  deviceChallenge: { body: Obj({ device: IdSchema }), reply: device.ChallengeReplySchema },
  deviceToken: { body: device.TokenRequestSchema, reply: device.TokenReplySchema },
  checkIn: { body: device.CheckInSchema, reply: device.CheckInReplySchema, bodyLimit: 2 * 1024 * 1024 },
  deviceSignals: { query: device.SignalsQuerySchema },
  artifact: { params: Obj({ digest: DigestSchema }) },
  installer: {},
  agentPackage: {},
  certificateAuthority: {},

  createFirstAdmin: { body: operators.CreateFirstAdminSchema, reply: operators.MeSchema },
  signIn: { body: operators.SignInSchema, reply: operators.MeSchema },
  signOut: {},
  me: { reply: operators.MeSchema },
  listOperators: { query: paged, reply: Page(operators.OperatorSchema) },
  createOperator: { body: operators.CreateOperatorSchema, reply: operators.OperatorSchema },
  updateOperator: { params: byId, body: operators.UpdateOperatorSchema, reply: operators.OperatorSchema },
  listApiTokens: { query: paged, reply: Page(operators.ApiTokenSchema) },
  createApiToken: { body: operators.CreateApiTokenSchema, reply: operators.CreatedApiTokenSchema },
  revokeApiToken: { params: byId },
  listAudit: { query: paged, reply: Page(operators.AuditEntrySchema) },

  overview: { reply: OverviewSchema },
  stream: {},
  deviceMap: { reply: devices.DeviceMapSchema },
  listDevices: { query: devices.DevicesQuerySchema, reply: Page(devices.DeviceSummarySchema) },
  showDevice: { params: byId, reply: devices.DeviceDetailSchema },
  updateDevice: { params: byId, body: devices.UpdateDeviceSchema, reply: devices.DeviceDetailSchema },
  explainDevice: { params: byId, reply: devices.ExplanationSchema },
  listDeviceEvents: { params: byId, query: paged, reply: Page(devices.DeviceEventSchema) },
  showRunLog: {
    params: Obj({ id: IdSchema, event: Str({ maxLength: 40 }) }),
    reply: devices.RunLogSchema,
  },
  createOrder: { params: byId, body: devices.CreateOrderSchema, reply: devices.OrderStateSchema },
  listOrders: { params: byId, query: paged, reply: Page(devices.OrderStateSchema) },
  approveDevice: { params: byId, reply: devices.DeviceDetailSchema },
  revokeDevice: { params: byId, body: rollouts.ReasonSchema, reply: devices.DeviceDetailSchema },
  listEnrolmentTokens: { query: paged, reply: Page(enrolment.EnrolmentTokenSchema) },
  createEnrolmentToken: {
    body: enrolment.CreateEnrolmentTokenSchema,
    reply: enrolment.CreatedEnrolmentTokenSchema,
  },
  revokeEnrolmentToken: { params: byId },

  showRepository: { reply: releases.RepositorySchema },
  fetchRepository: { reply: releases.RepositorySchema },
  listReleases: { query: releases.ReleasesQuerySchema, reply: Page(releases.ReleaseSummarySchema) },
  showRelease: { params: byId, reply: releases.ReleaseDetailSchema },
  listRollouts: { query: rollouts.RolloutsQuerySchema, reply: Page(rollouts.RolloutSummarySchema) },
  startRollout: { body: rollouts.StartRolloutSchema, reply: rollouts.RolloutSummarySchema },
  showRollout: { params: byId, reply: rollouts.RolloutSummarySchema },
  listRolloutDevices: {
    params: byId,
    query: rollouts.RolloutDevicesQuerySchema,
    reply: Page(rollouts.RolloutDeviceSchema),
  },
  promoteRollout: { params: byId, body: rollouts.ReasonSchema, reply: rollouts.RolloutSummarySchema },
  pauseRollout: { params: byId, body: rollouts.ReasonSchema, reply: rollouts.RolloutSummarySchema },
  resumeRollout: { params: byId, body: rollouts.ReasonSchema, reply: rollouts.RolloutSummarySchema },
  haltRollout: { params: byId, body: rollouts.ReasonSchema, reply: rollouts.RolloutSummarySchema },

  healthz: { reply: Obj({ ok: Bool() }) },
  readyz: {
    reply: Obj({ ok: Bool(), checks: List(Obj({ name: Str(), ok: Bool(), detail: Optional(Str()) })) }),
  },
  metrics: {},
  apiDescription: {},
} as const satisfies Record<RouteName, Message>;
