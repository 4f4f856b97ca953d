import {
  Array as List,
  Enum,
  Integer,
  Null,
  Object as Obj,
  Record,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { CommitSchema, DeviceNameSchema, RoleNameSchema, TimeSchema } from '../names.ts';
import { DEVICE_STATES } from './device-state.ts';
import { DeviceEventSchema } from './devices-api.ts';
import { RolloutSummarySchema } from './rollouts-api.ts';

const Count = Integer({ minimum: 0 });

/** The first screen: what somebody wants to know at 3am, aggregated by the server. */
export const OverviewSchema = Obj({
  time: TimeSchema,
  verdict: Obj({ tone: Enum(['empty', 'good', 'busy', 'warning', 'bad']), text: Str() }),
  total: Count,
  waiting: Count,
  counts: Record(Enum(DEVICE_STATES), Count),
  /** What needs attention, one entry a cause, worst first. */
  attention: List(
    Obj({
      state: Enum(DEVICE_STATES),
      /** Code of the problem, or null where the state says all (offline). */
      code: Union([Str(), Null()]),
      text: Str(),
      devices: Count,
      sample: List(DeviceNameSchema),
      since: Union([TimeSchema, Null()]),
      role: Union([RoleNameSchema, Null()]),
      commit: Union([CommitSchema, Null()]),
    }),
  ),
  rollouts: List(RolloutSummarySchema),
  /** How many devices of a role run which commit. `current`: what the role is meant to run. */
  versions: List(
    Obj({
      role: RoleNameSchema,
      releases: List(
        Obj({ commit: Union([CommitSchema, Null()]), devices: Count, current: Enum(['yes', 'no', 'next']) }),
      ),
    }),
  ),
  events: List(DeviceEventSchema),
});
export type Overview = Static<typeof OverviewSchema>;
