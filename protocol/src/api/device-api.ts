import {
  Array as List,
  Boolean as Bool,
  Enum,
  Integer,
  Literal,
  Null,
  Number as Num,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import {
  CommitSchema,
  DeviceNameSchema,
  DigestSchema,
  IdSchema,
  RoleNameSchema,
  TimeSchema,
  VariableNameSchema,
} from '../names.ts';
import { ProblemSchema, StatusSchema } from '../status.ts';
import { SEGMENTS } from './segments.ts';

/** Raw Ed25519 values, base64url without padding. */
const PublicKey = Str({ pattern: '^[A-Za-z0-9_-]{43}$' });
const Signature = Str({ pattern: '^[A-Za-z0-9_-]{86}$' });

/** What a board says of itself: the evidence by which a re-flashed or a cloned device is recognised. */
export const EvidenceSchema = Obj({
  serial: Union([Str({ minLength: 1, maxLength: 64 }), Null()]),
  machineId: Union([Str({ minLength: 1, maxLength: 64 }), Null()]),
  model: Union([Str({ maxLength: 128 }), Null()]),
  mac: Union([Str({ maxLength: 32 }), Null()]),
  arch: Str({ maxLength: 32 }),
});
export type Evidence = Static<typeof EvidenceSchema>;

/**
 * A new device introduces itself: a token from an operator, and the public half of a key that never leaves it. Asked
 * again with the same key, the answer is the same: a lost reply costs nothing and no second use of the token.
 */
export const EnrolRequestSchema = Obj({
  version: Integer({ minimum: 1 }),
  token: Str({ minLength: 20, maxLength: 200 }),
  publicKey: PublicKey,
  /** Wish for a name; taken where it is free, else a number is added. */
  name: Optional(DeviceNameSchema),
  bootId: Str({ maxLength: 64 }),
  evidence: EvidenceSchema,
});
export type EnrolRequest = Static<typeof EnrolRequestSchema>;

/** A device that is `waiting` is served nothing until an operator has approved it; it asks again. */
export const EnrolReplySchema = Obj({
  device: IdSchema,
  name: DeviceNameSchema,
  state: Enum(['active', 'waiting']),
  role: Union([RoleNameSchema, Null()]),
  segment: Enum(SEGMENTS),
  /** Content for `allowed_signers`: who may sign the releases of this fleet. */
  signers: Str(),
});
export type EnrolReply = Static<typeof EnrolReplySchema>;

/** Step one towards a token: a challenge, so that a device with a wrong clock can prove itself. Good for a minute. */
export const ChallengeReplySchema = Obj({ challenge: Str({ maxLength: 600 }), time: TimeSchema });

/** Step two: `deviceProof(challenge)` signed with the device's key. */
export const TokenRequestSchema = Obj({
  device: IdSchema,
  challenge: Str({ maxLength: 600 }),
  signature: Signature,
});
export const TokenReplySchema = Obj({ token: Str(), expires: TimeSchema });

/** The bytes a device signs to prove itself: bound to this use, so that no other signature of its key fits. */
export function deviceProof(device: string, challenge: string): string {
  return `metrica-fleet device token\n${device}\n${challenge}`;
}

/** What happened on a device, one line of its history. */
export const REPORT_KINDS = [
  'staging',
  'activated',
  'updated',
  'failed',
  'delayed',
  'reverted',
  'repaired',
  'rebuilt',
  'booted',
  'outage',
  'order',
  'safe-mode',
] as const;

/** One report: kept in the outbox on the card until the overlord has acknowledged it; applied once by its id. */
export const ReportSchema = Obj({
  id: IdSchema,
  at: TimeSchema,
  kind: Enum(REPORT_KINDS),
  role: Optional(RoleNameSchema),
  commit: Optional(CommitSchema),
  digest: Optional(DigestSchema),
  /** The order that this acknowledges. */
  order: Optional(IdSchema),
  ok: Optional(Bool()),
  detail: Optional(Str({ maxLength: 4_096 })),
  problem: Optional(ProblemSchema),
  /** The lines of a run that changed something or failed, as the agent logged them; newest last, cut at the front. */
  log: Optional(Str({ maxLength: 32_768 })),
});
export type Report = Static<typeof ReportSchema>;

/** Reports in one check-in; the rest waits for the next. */
export const REPORTS_LIMIT = 50;

/** The check-in, upwards. */
export const CheckInSchema = Obj({
  version: Integer({ minimum: 1 }),
  bootId: Str({ maxLength: 64 }),
  /** Position of the desired state that the device has; null before the first. */
  position: Union([Str({ maxLength: 200 }), Null()]),
  /** Null: as in the last check-in that was answered, but for the time. */
  status: Union([StatusSchema, Null()]),
  reports: List(ReportSchema, { maxItems: REPORTS_LIMIT }),
});
export type CheckIn = Static<typeof CheckInSchema>;

/** What an overlord wants of a device. The files come as an artifact; statement and signature vouch for them. */
export const DesiredStateSchema = Obj({
  position: Str({ maxLength: 200 }),
  role: RoleNameSchema,
  commit: CommitSchema,
  digest: DigestSchema,
  statement: Str({ maxLength: 262_144 }),
  signature: Str({ maxLength: 16_384 }),
  /** Values of variables, weakest first. */
  layers: List(Obj({ from: Str(), values: Record(VariableNameSchema, Union([Str(), Num(), Bool()])) })),
});
export type DesiredState = Static<typeof DesiredStateSchema>;

export const ORDER_KINDS = [
  'run',
  'redeploy',
  'restart-service',
  'collect-logs',
  'safe-mode',
  'reboot',
] as const;

/** A wish of an operator to one device: delivered at most once, acknowledged by a report of kind `order`. */
export const OrderSchema = Obj({
  id: IdSchema,
  kind: Enum(ORDER_KINDS),
  service: Optional(Str({ maxLength: 128 })),
  expires: TimeSchema,
});
export type Order = Static<typeof OrderSchema>;

/** The check-in, downwards: written for good before it is sent. */
export const CheckInReplySchema = Obj({
  time: TimeSchema,
  /** Absent: what `position` named still holds. `nothing`: no release for this device yet; it keeps what it runs. */
  desired: Optional(Union([DesiredStateSchema, Literal('nothing')])),
  orders: Optional(List(OrderSchema)),
  /** Reports that are on record: the device may forget them. */
  acknowledged: Optional(List(IdSchema)),
  /** A new token, when the one in use has less than a third of its life left. */
  token: Optional(Str()),
  /** The overlord has no status of this device: the next check-in must carry it whole. */
  statusWanted: Optional(Literal(true)),
});
export type CheckInReply = Static<typeof CheckInReplySchema>;

/** How a device asks for its stream of signals. */
export const SignalsQuerySchema = Obj({
  /** Seconds between two heartbeats that its role asks for. What the stream promises is what counts: `: every <seconds>`. */
  heartbeat: Optional(Integer({ minimum: 1 })),
});

/** A wake-up: `data:` of an SSE event. Nothing in it is trusted; it only starts a run, after a pause below `splay` seconds. */
export const SignalSchema = Obj({
  id: Str({ maxLength: 40 }),
  reason: Enum(['release', 'order', 'variables', 'test']),
  splay: Integer({ minimum: 0, maximum: 3_600 }),
});
export type Signal = Static<typeof SignalSchema>;
