import {
  Array as List,
  Boolean as Bool,
  Enum,
  Integer,
  Literal,
  Null,
  Object as Obj,
  Optional,
  String as Str,
  Union,
  type Static,
  type TSchema,
} from 'typebox';
import { ERROR_CODES, type ErrorCode } from './errors.ts';
import { CommitSchema, DigestSchema, RoleNameSchema, TimeSchema as Time } from './names.ts';

const orNull = <S extends TSchema>(schema: S) => Union([schema, Null()]);
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

/** A problem as it travels: see errors.ts. */
export const ProblemSchema = Obj({
  code: Enum(codes),
  what: Str(),
  where: Optional(Str()),
  remedy: Optional(Str()),
});

/** The states of an update on a device; SPEC.md of the agent says what each means. */
export const UPDATE_STATES = [
  'idle',
  'staging',
  'staged',
  'activating',
  'probation',
  'reverting',
  'safe',
] as const;

/** In one word, how the device is: what a tile on the dashboard shows. */
export const HEALTH = ['healthy', 'updating', 'degraded', 'failed', 'empty'] as const;
export type Health = (typeof HEALTH)[number];

const DeploymentStatus = Obj({ role: RoleNameSchema, commit: CommitSchema, digest: orNull(DigestSchema) });

/** How to help a device in safe mode from where it stands: its page has a button, which wants the code. */
const SafeModeStatus = Obj({
  /** What failed: one sentence. */
  reason: Str(),
  /** Null where nobody has written it down. */
  since: orNull(Time),
  /** What the button wants. Null where it could not be made. */
  code: orNull(Str({ maxLength: 16 })),
  /** Address of the page on the device's own network; null without a network. */
  address: orNull(Str({ pattern: '^http://[0-9a-f.:\\[\\]]+/$', maxLength: 100 })),
});

/**
 * What a device says of itself (principle 8 of the founding document: role, commit, last update, last successful
 * convergence, health, error summary). Written to `/run/role-agent/status.json` by every run and sent to an overlord.
 */
export const StatusSchema = Obj({
  schemaVersion: Literal(1),
  device: Str(),
  agentVersion: Str(),
  /** When the run ended that wrote this. */
  at: Time,
  state: Enum(UPDATE_STATES),
  health: Enum(HEALTH),
  /** What runs, having passed its gate. */
  running: orNull(DeploymentStatus),
  /** What is wanted, by the last source that answered. */
  wanted: orNull(DeploymentStatus),
  /** Why what is wanted is not what runs, in words; null when it is. */
  pending: orNull(Str()),
  /** Why what is wanted failed here and is not tried again; null unless it is quarantined. Absent: agents before 0.2. */
  refused: Optional(orNull(ProblemSchema)),
  /** Seconds between two check-ins with an overlord, as its role has it. Absent: agents before 0.2. */
  interval: Optional(Integer({ minimum: 1, maximum: 604_800 })),
  lastUpdate: orNull(Time),
  lastConvergence: orNull(Time),
  /** Everything that is wrong, worst first. */
  problems: List(ProblemSchema),
  services: List(
    Obj({ name: Str(), state: Str(), health: orNull(Str()), restarts: Integer({ minimum: 0 }) }),
  ),
  sources: List(Obj({ name: Str(), answered: Bool() })),
  /** Absent unless the device is in safe mode. */
  safeMode: Optional(SafeModeStatus),
});
export type Status = Static<typeof StatusSchema>;
