import { DEVICE_STATES, type DeviceState, type Overview } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ONLINE, STATE } from '../devices/state-sql.ts';
import { timeOrNull } from '../server/time.ts';

/** Devices that are alike in all that the first screen shows. */
export interface Group {
  readonly state: DeviceState;
  readonly role: string | null;
  readonly running: string | null;
  readonly wanted: string | null;
  readonly code: string | null;
  readonly devices: number;
  /** The problem of one of them, in a sentence. */
  readonly problem: string | null;
  /** Since when the first of them is so. */
  readonly since: Date | null;
  /** A few names; empty where nothing is wrong. */
  readonly sample: readonly string[];
}

/** Names that are shown of a group. */
const SAMPLE = 5;

/**
 * The whole fleet in a few rows: one reading of the tables, whatever is shown of it. Nothing is sorted: by texts, that
 * would take longer than all the rest.
 */
export async function groupFleet(db: Kysely<Schema>): Promise<readonly Group[]> {
  const { rows } = await sql<Group>`
    with fleet as (
      select devices.name, coalesce(devices.role, f.role) as role, ${STATE} as state,
        device_status.commit as running, device_status.wanted_commit as wanted,
        case when ${ONLINE} then device_status.problem_code end as code,
        device_status.problem, device_status.since, device_status.seen_at
      from devices
      left join device_status on device_status.device_id = devices.id
      left join variable_files f on f.kind = 'device' and f.name = devices.name
      where devices.membership = 'active'
    )
    select state, role, running, wanted, code, count(*)::int as devices, min(problem) as problem,
      case when state = 'offline' then min(seen_at) else min(since) end as since,
      coalesce(
        (array_agg(name) filter (where state in ('conflict', 'failed', 'offline', 'degraded')
          or code is not null))[1:${sql.lit(SAMPLE)}], '{}') as sample
    from fleet group by state, role, running, wanted, code`.execute(db);
  return rows;
}

/** How many devices stand how; every state is there. */
export function countStates(groups: readonly Group[]): Record<DeviceState, number> {
  const counts = Object.fromEntries(DEVICE_STATES.map((state) => [state, 0])) as Record<DeviceState, number>;
  for (const { state, devices } of groups) counts[state] += devices;
  return counts;
}

type Attention = Overview['attention'][number];
/** Causes that are shown. */
const MOST_CAUSES = 20;

/** What needs attention, one entry a cause, worst first and then by how many it hit. */
export function attentionOf(groups: readonly Group[]): Attention[] {
  const causes = new Map<string, Group>();
  for (const group of groups) {
    const { state, role, running, wanted, code } = group;
    if (!['conflict', 'failed', 'offline', 'degraded'].includes(state) && code === null) continue;
    // What is offline is so whatever it runs; what has a problem has it with what it wants.
    const alike = code === null && state !== 'failed' && state !== 'degraded';
    const key = alike ? state : [state, code, role, wanted ?? running].join(' ');
    const cause: Group = alike ? { ...group, role: null, running: null, wanted: null } : group;
    const former = causes.get(key);
    causes.set(key, former === undefined ? cause : merge(former, cause));
  }
  const rank = ({ state }: Group): number => DEVICE_STATES.indexOf(state);
  return [...causes.values()]
    .sort((a, b) => rank(a) - rank(b) || b.devices - a.devices)
    .slice(0, MOST_CAUSES)
    .map((cause) => ({
      state: cause.state,
      code: cause.code,
      text: textOf(cause),
      devices: cause.devices,
      sample: [...cause.sample].sort(),
      since: timeOrNull(cause.since),
      role: cause.role,
      commit: cause.wanted ?? cause.running,
    }));
}

function merge(a: Group, b: Group): Group {
  const first = a.since === null || (b.since !== null && b.since < a.since) ? b.since : a.since;
  const sample = [...a.sample, ...b.sample].sort().slice(0, SAMPLE);
  return { ...a, devices: a.devices + b.devices, since: first, sample };
}

function textOf({ state, problem, devices, code }: Group): string {
  if (code !== null && problem !== null) return problem;
  const are = devices === 1 ? 'device is' : 'devices are';
  if (state === 'offline') return `${devices} ${are} offline.`;
  if (state === 'conflict') return 'Two boards show the same key, or one board two keys.';
  return problem ?? `${devices} ${are} ${state}.`;
}

/** What each role is meant to run, and what is on its way. */
export interface Meant {
  readonly role: string;
  readonly current: string | null;
  readonly next: string | null;
}

/** How many devices of a role run which commit: roles by name, in each the most common first. */
export function versionsOf(groups: readonly Group[], meant: readonly Meant[]): Overview['versions'] {
  const roles = new Map<string, Map<string | null, number>>();
  for (const { role, running, devices } of groups) {
    if (role === null) continue;
    const commits = roles.get(role) ?? new Map<string | null, number>();
    commits.set(running, (commits.get(running) ?? 0) + devices);
    roles.set(role, commits);
  }
  return [...roles]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([role, commits]) => {
      const goal = meant.find((one) => one.role === role);
      const currentOf = (commit: string | null): 'yes' | 'no' | 'next' => {
        if (commit === null) return 'no';
        if (commit === goal?.current) return 'yes';
        return commit === goal?.next ? 'next' : 'no';
      };
      const releases = [...commits]
        .sort(([, a], [, b]) => b - a)
        .map(([commit, devices]) => ({ commit, devices, current: currentOf(commit) }));
      return { role, releases };
    });
}
