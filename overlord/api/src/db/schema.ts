import type {
  DeviceEvent,
  Evidence,
  OperatorRole,
  Order,
  RolloutDeviceState,
  RolloutState,
  Segment,
} from '@metrica-fleet/protocol/api';
import type { Problem, Stage, Status, VariableInput } from '@metrica-fleet/protocol';
import type { Finding } from '@metrica-fleet/protocol/lint';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/** What `overlord/supabase/migrations` makes, as types. bigint comes as text from pg. */
export interface Schema {
  operators: OperatorsTable;
  sessions: SessionsTable;
  api_tokens: ApiTokensTable;
  invitations: { token_hash: Buffer; created_at: Generated<Date>; expires_at: Date };
  audit: AuditTable;
  keys: { name: string; sealed: Buffer; created_at: Generated<Date> };
  repository: RepositoryTable;
  releases: ReleasesTable;
  statements: StatementsTable;
  variable_files: VariableFilesTable;
  baselines: { role: string; release_id: string; statement_id: string; since: Generated<Date> };
  enrolment_tokens: EnrolmentTokensTable;
  devices: DevicesTable;
  device_status: DeviceStatusTable;
  device_events: DeviceEventsTable;
  orders: OrdersTable;
  rollouts: RolloutsTable;
  rollout_devices: RolloutDevicesTable;
  signals: SignalsTable;
}

/** A bigint identity: text when read, never written. */
type Sequence = ColumnType<string, never, never>;
/** Written as JSON text, read as a value. */
type Json<T> = ColumnType<T, string, string>;
/** The same with a default: it may be left out. */
type JsonDefault<T> = ColumnType<T, string | undefined, string>;

export interface OperatorsTable {
  id: string;
  name: string;
  role: OperatorRole;
  password_hash: string;
  disabled: Generated<boolean>;
  created_at: Generated<Date>;
  last_seen_at: Date | null;
}

export interface SessionsTable {
  token_hash: Buffer;
  operator_id: string;
  csrf: string;
  created_at: Generated<Date>;
  expires_at: Date;
}

export interface ApiTokensTable {
  id: string;
  token_hash: Buffer;
  operator_id: string;
  name: string;
  role: OperatorRole;
  monitoring: Generated<boolean>;
  created_at: Generated<Date>;
  expires_at: Date | null;
  last_used_at: Date | null;
}

export interface AuditTable {
  id: Sequence;
  at: Generated<Date>;
  actor: string;
  action: string;
  subject: string;
  detail: string | null;
  address: string | null;
}

export interface RepositoryTable {
  id: Generated<number>;
  url: string | null;
  branch: Generated<string>;
  head: string | null;
  stages: Json<readonly Stage[]> | null;
  fetched_at: Date | null;
  problem: string | null;
}

export interface ReleasesTable {
  id: string;
  role: string;
  commit: string;
  tree: string;
  digest: string | null;
  state: 'ready' | 'refused';
  subject: string;
  message: string;
  author: string;
  committed_at: Date;
  created_at: Generated<Date>;
  findings: Json<readonly Finding[]>;
  files: Json<readonly { readonly path: string; readonly size: number }[]>;
  bundle_bytes: string | null;
}

export interface StatementsTable {
  id: string;
  release_id: string;
  role: string;
  counter: ColumnType<string, number, never>;
  statement: string;
  signature: string;
  created_at: Generated<Date>;
}

export interface VariableFilesTable {
  kind: 'site' | 'device';
  name: string;
  role: string | null;
  site: string | null;
  vars: Json<VariableInput>;
}

export interface EnrolmentTokensTable {
  id: string;
  token_hash: Buffer;
  name: string;
  role: string | null;
  segment: Segment;
  site: string | null;
  auto_approve: boolean;
  uses: number;
  uses_left: number;
  created_by: string;
  created_at: Generated<Date>;
  expires_at: Date;
  revoked_at: Date | null;
}

export interface DevicesTable {
  id: string;
  name: string;
  public_key: string | null;
  membership: 'waiting' | 'active' | 'revoked';
  epoch: Generated<number>;
  role: string | null;
  site: string | null;
  segment: Segment;
  labels: JsonDefault<Readonly<Record<string, string>>>;
  updates_off: Generated<boolean>;
  conflict: Generated<boolean>;
  evidence: Json<Evidence>;
  serial: string | null;
  token_id: string | null;
  enrolled_by: string;
  enrolled_at: Generated<Date>;
}

export interface DeviceStatusTable {
  device_id: string;
  seen_at: Date;
  connected_until: Date | null;
  check_in_interval: Generated<number>;
  boot_id: string | null;
  former_boot_id: string | null;
  position: string | null;
  health: Status['health'] | null;
  role: string | null;
  commit: string | null;
  wanted_commit: string | null;
  update_state: Status['state'] | null;
  problem_code: string | null;
  problem: string | null;
  agent_version: string | null;
  since: Date | null;
  status: JSONColumnType<Status> | null;
}

export interface DeviceEventsTable {
  id: Sequence;
  device_id: string;
  report_id: string | null;
  at: Date;
  received_at: Generated<Date>;
  kind: DeviceEvent['kind'];
  role: string | null;
  commit: string | null;
  text: string;
  problem: Json<Problem> | null;
  log: string | null;
}

export interface OrdersTable {
  id: string;
  device_id: string;
  kind: Order['kind'];
  service: string | null;
  created_by: string;
  created_at: Generated<Date>;
  expires_at: Date;
  delivered_at: Date | null;
  finished_at: Date | null;
  ok: boolean | null;
  detail: string | null;
}

/** What a rollout remembers of a stage that has been opened. ISO 8601. */
export interface StageProgress {
  readonly openedAt: string;
  /** Since when the gate has been met without a break; null while it is not. */
  readonly metSince: string | null;
  /** The device that stands in for a canary where nobody is one; null where the stage has devices of its own. */
  readonly standIn: string | null;
}

export interface RolloutsTable {
  id: string;
  role: string;
  release_id: string;
  statement_id: string;
  from_release_id: string | null;
  state: RolloutState;
  reason: string | null;
  stages: Json<readonly Stage[]>;
  stage: Generated<number>;
  progress: JsonDefault<readonly StageProgress[]>;
  created_by: string;
  created_at: Generated<Date>;
  finished_at: Date | null;
}

export interface RolloutDevicesTable {
  rollout_id: string;
  device_id: string;
  stage: number;
  state: RolloutDeviceState;
  at: Generated<Date>;
  problem: Json<Problem> | null;
}

export interface SignalsTable {
  id: Sequence;
  device_id: string;
  reason: 'release' | 'order' | 'variables' | 'test';
  splay: Generated<number>;
  created_at: Generated<Date>;
}
