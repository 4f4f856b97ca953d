-- The whole of the fleet. Plain PostgreSQL (14 and newer); what only Supabase has is guarded at the end.

-- People and programs ------------------------------------------------------------------------------------------------

create table operators (
  id uuid primary key,
  name text not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  password_hash text not null,
  disabled boolean not null default false,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz
);

create table sessions (
  token_hash bytea primary key,
  operator_id uuid not null references operators on delete cascade,
  csrf text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_expires on sessions (expires_at);

create table api_tokens (
  id uuid primary key,
  token_hash bytea not null unique,
  operator_id uuid not null references operators on delete cascade,
  name text not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  monitoring boolean not null default false,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz
);

-- One-time links, as for the first admin.
create table invitations (
  token_hash bytea primary key,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  subject text not null,
  detail text,
  address text
);

-- Sealed with the master key, which is not in here.
create table keys (
  name text primary key,
  sealed bytea not null,
  created_at timestamptz not null default now()
);

-- Releases -----------------------------------------------------------------------------------------------------------

-- The Git repo that is followed; one row.
create table repository (
  id integer primary key default 1 check (id = 1),
  -- Without credentials.
  url text,
  branch text not null default 'main',
  head text,
  -- How releases go out, from fleet.yaml at the head; null: the default.
  stages jsonb,
  fetched_at timestamptz,
  problem text
);

create table releases (
  id uuid primary key,
  role text not null,
  commit text not null,
  -- Git's id of the role's folder: equal trees are no new release.
  tree text not null,
  digest text,
  state text not null check (state in ('ready', 'refused')),
  subject text not null,
  message text not null,
  author text not null,
  committed_at timestamptz not null,
  created_at timestamptz not null default now(),
  findings jsonb not null default '[]',
  files jsonb not null default '[]',
  bundle_bytes bigint,
  unique (role, commit)
);
create index releases_by_role on releases (role, created_at desc);
create index releases_by_digest on releases (digest);

-- Each says with a signature that a release may run; a higher counter beats a lower one, so that nothing old is replayed.
create table statements (
  id uuid primary key,
  release_id uuid not null references releases,
  role text not null,
  counter bigint not null,
  statement text not null,
  signature text not null,
  created_at timestamptz not null default now(),
  unique (role, counter)
);

-- Values of variables at the head of the repo: sites/<name>.yaml and devices/<name>.yaml.
create table variable_files (
  kind text not null check (kind in ('site', 'device')),
  name text not null,
  role text,
  site text,
  vars jsonb not null default '{}',
  primary key (kind, name)
);

-- What the devices of a role run that no rollout covers.
create table baselines (
  role text primary key,
  release_id uuid not null references releases,
  statement_id uuid not null references statements,
  since timestamptz not null default now()
);

-- Devices ------------------------------------------------------------------------------------------------------------

create table enrolment_tokens (
  id uuid primary key,
  token_hash bytea not null unique,
  name text not null,
  role text,
  segment text not null check (segment in ('canary', 'early', 'general')),
  site text,
  auto_approve boolean not null,
  uses integer not null,
  uses_left integer not null check (uses_left >= 0),
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);

create table devices (
  id uuid primary key,
  name text not null unique,
  -- Null once it has been revoked for another key.
  public_key text unique,
  membership text not null check (membership in ('waiting', 'active', 'revoked')),
  -- Tokens of a former epoch count no more.
  epoch integer not null default 1,
  role text,
  site text,
  segment text not null check (segment in ('canary', 'early', 'general')),
  labels jsonb not null default '{}',
  updates_off boolean not null default false,
  conflict boolean not null default false,
  evidence jsonb not null,
  serial text,
  token_id uuid references enrolment_tokens,
  enrolled_by text not null,
  enrolled_at timestamptz not null default now()
);
create index devices_by_role on devices (role, segment) where membership = 'active';
create index devices_by_site on devices (site) where site is not null;
create index devices_by_serial on devices (serial) where serial is not null;

-- Hot: one row a device, written by every check-in. No index on what changes, and room in each page, so that updates
-- stay in it (HOT); check-ins that bring nothing new touch seen_at alone.
create table device_status (
  device_id uuid primary key references devices on delete cascade,
  seen_at timestamptz not null,
  -- A stream of signals is open at least until then; whoever holds it renews this. Null: none is.
  connected_until timestamptz,
  -- Seconds between its check-ins, as it says itself.
  check_in_interval integer not null default 300,
  boot_id text,
  -- Of the boot before: a device that is back at it is two, with copies of one card.
  former_boot_id text,
  position text,
  health text,
  role text,
  commit text,
  wanted_commit text,
  update_state text,
  problem_code text,
  problem text,
  agent_version text,
  -- When health or problem became what they are.
  since timestamptz,
  status jsonb
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

create table device_events (
  id bigint generated always as identity primary key,
  device_id uuid not null references devices on delete cascade,
  -- Of the device's report: what is delivered twice is applied once. Null for what the overlord itself writes.
  report_id uuid,
  at timestamptz not null,
  received_at timestamptz not null default now(),
  kind text not null,
  role text,
  commit text,
  text text not null,
  problem jsonb,
  log text,
  unique (device_id, report_id)
);
create index device_events_by_device on device_events (device_id, id desc);

create table orders (
  id uuid primary key,
  device_id uuid not null references devices on delete cascade,
  kind text not null,
  service text,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  delivered_at timestamptz,
  finished_at timestamptz,
  ok boolean,
  detail text
);
create index orders_waiting on orders (device_id, created_at) where delivered_at is null;
create index orders_by_device on orders (device_id, created_at desc);

-- Rollouts -----------------------------------------------------------------------------------------------------------

create table rollouts (
  id uuid primary key,
  role text not null,
  release_id uuid not null references releases,
  statement_id uuid not null references statements,
  -- What the role ran before; null for its first release.
  from_release_id uuid references releases,
  state text not null check (state in ('running', 'paused', 'done', 'halted', 'superseded')),
  reason text,
  -- Stage[] of the protocol's fleet-file.ts, as it was when the rollout began.
  stages jsonb not null,
  -- Index of the last stage that is open.
  stage integer not null default 0,
  -- Per open stage: when it was opened, since when its gate has been met.
  progress jsonb not null default '[]',
  created_by text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
-- One at a time: a newer release supersedes.
create unique index rollouts_open on rollouts (role) where state in ('running', 'paused');
create index rollouts_by_time on rollouts (created_at desc);

-- Devices that a stage has covered, as they come: never the fleet in advance.
create table rollout_devices (
  rollout_id uuid not null references rollouts on delete cascade,
  device_id uuid not null references devices on delete cascade,
  stage integer not null,
  state text not null check (state in ('pending', 'updating', 'healthy', 'failed', 'returned')),
  at timestamptz not null default now(),
  problem jsonb,
  primary key (rollout_id, device_id)
);
create index rollout_devices_by_device on rollout_devices (device_id);

-- Signals ------------------------------------------------------------------------------------------------------------

-- Wake-ups: a row and a NOTIFY in the transaction that caused them; each replica fans out, a subscriber that comes back
-- is caught up from its last id. Kept for a day.
create table signals (
  id bigint generated always as identity primary key,
  device_id uuid not null,
  reason text not null,
  splay integer not null default 0,
  created_at timestamptz not null default now()
);
create index signals_by_device on signals (device_id, id);
create index signals_by_time on signals (created_at);

-- Supabase -----------------------------------------------------------------------------------------------------------

-- Nobody reads these tables through Supabase's own API unless a policy lets them: the overlord connects as their owner.
do $$
declare
  name text;
begin
  foreach name in array array['operators', 'sessions', 'api_tokens', 'invitations', 'audit', 'keys', 'repository',
    'releases', 'statements', 'variable_files', 'baselines', 'enrolment_tokens', 'devices', 'device_status',
    'device_events', 'orders', 'rollouts', 'rollout_devices', 'signals']
  loop
    execute format('alter table %I enable row level security', name);
  end loop;
  if exists (select from pg_roles where rolname = 'authenticated') then
    execute 'create policy read_status on device_status for select to authenticated using (true)';
    execute 'create policy read_devices on devices for select to authenticated using (true)';
  end if;
end
$$;
