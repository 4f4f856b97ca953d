import {
  Boolean as Bool,
  Enum,
  Integer,
  Null,
  Object as Obj,
  Optional,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { DeviceNameSchema, IdSchema, RoleNameSchema, TimeSchema } from '../names.ts';
import { SEGMENTS } from './segments.ts';

/** A token that lets devices join: only its hash is kept. */
export const EnrolmentTokenSchema = Obj({
  id: IdSchema,
  name: Str(),
  role: Union([RoleNameSchema, Null()]),
  segment: Enum(SEGMENTS),
  site: Union([DeviceNameSchema, Null()]),
  /** False: devices wait until an operator approves them. */
  autoApprove: Bool(),
  usesLeft: Integer({ minimum: 0 }),
  uses: Integer({ minimum: 1 }),
  createdBy: Str(),
  createdAt: TimeSchema,
  expiresAt: TimeSchema,
});
export type EnrolmentToken = Static<typeof EnrolmentTokenSchema>;

export const CreateEnrolmentTokenSchema = Obj({
  name: Optional(Str({ minLength: 1, maxLength: 100 })),
  role: Optional(RoleNameSchema),
  /** Default: general. */
  segment: Optional(Enum(SEGMENTS)),
  site: Optional(DeviceNameSchema),
  /** Default: true. */
  autoApprove: Optional(Bool()),
  /** Default: 1. */
  uses: Optional(Integer({ minimum: 1, maximum: 100_000 })),
  /** Default: 24. */
  hours: Optional(Integer({ minimum: 1, maximum: 8_760 })),
});

/** The only time that the token itself is shown. `command` is the line to run on a Pi; it carries the pin of our certificate. */
export const CreatedEnrolmentTokenSchema = Obj({
  enrolmentToken: EnrolmentTokenSchema,
  token: Str(),
  command: Str(),
});
export type CreatedEnrolmentToken = Static<typeof CreatedEnrolmentTokenSchema>;
