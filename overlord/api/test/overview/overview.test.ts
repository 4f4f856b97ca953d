import { DEVICE_STATES, type DeviceState, type Overview } from '@metrica-fleet/protocol/api';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overviewRoutes } from '../../src/overview/overview-route.ts';
import { verdictOf, type Situation } from '../../src/overview/verdict.ts';
import type { Call } from '../../src/server/handler.ts';
import { commitOf, Fleet } from '../rollouts/fleet.ts';

const counts = (some: Partial<Record<DeviceState, number>>): Situation['counts'] => ({
  ...(Object.fromEntries(DEVICE_STATES.map((state) => [state, 0])) as Situation['counts']),
  ...some,
});
const rollout = (state: Situation['rollouts'][number]['state']): Situation['rollouts'][number] => ({
  role: 'web',
  commit: commitOf('b'),
  state,
});

const VERDICTS: readonly (readonly [Situation, string, string])[] = [
  [{ total: 0, counts: counts({}), rollouts: [] }, 'empty', 'No device has joined the fleet yet.'],
  [{ total: 20, counts: counts({ healthy: 20 }), rollouts: [] }, 'good', 'All 20 devices are well.'],
  [{ total: 1, counts: counts({ healthy: 1 }), rollouts: [] }, 'good', 'The one device is well.'],
  [
    { total: 100, counts: counts({ healthy: 98, offline: 2 }), rollouts: [] },
    'good',
    '98 of 100 devices are well; 2 offline.',
  ],
  [
    { total: 20, counts: counts({ healthy: 19, offline: 1 }), rollouts: [] },
    'warning',
    '1 offline of 20 devices.',
  ],
  [
    { total: 3, counts: counts({ healthy: 1, updating: 2 }), rollouts: [] },
    'busy',
    '2 of 3 devices are updating.',
  ],
  [
    { total: 3, counts: counts({ healthy: 3 }), rollouts: [rollout('running')] },
    'busy',
    'web bbbbbbb is rolling out.',
  ],
  [
    { total: 3, counts: counts({ healthy: 3 }), rollouts: [rollout('halted')] },
    'warning',
    'The rollout of web bbbbbbb was halted.',
  ],
  [
    { total: 3, counts: counts({ failed: 1, conflict: 1, healthy: 1 }), rollouts: [rollout('running')] },
    'bad',
    '1 failed and 1 in conflict of 3 devices.',
  ],
];

describe('the verdict', () => {
  for (const [situation, tone, text] of VERDICTS) {
    it(`is ${tone}: ${text}`, () => expect(verdictOf(situation)).toEqual({ tone, text }));
  }
});

describe('the overview', () => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await Fleet.begin();
  });
  afterEach(() => fleet.end());

  const look = async (): Promise<Overview> =>
    overviewRoutes({ db: fleet.db, now: () => new Date() }).overview({} as Call<'overview'>);

  it('of an empty fleet says so', async () => {
    expect(await look()).toMatchObject({
      total: 0,
      verdict: { tone: 'empty' },
      attention: [],
      versions: [],
      events: [],
    });
  });

  it('counts states and versions, and shows the rollout that is under way', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkInAll();
    const { total, verdict, rollouts, versions, counts: states } = await look();
    expect(total).toBe(20);
    expect(states).toEqual(counts({ healthy: 20 }));
    expect(verdict).toEqual({ tone: 'busy', text: 'web bbbbbbb is rolling out.' });
    expect(rollouts[0]).toMatchObject({ id, state: 'running' });
    expect(rollouts[0]?.stages[0]?.counts).toMatchObject({ total: 2, healthy: 2 });
    expect(versions).toEqual([
      {
        role: 'web',
        releases: [
          { commit: commitOf('a'), devices: 18, current: 'yes' },
          { commit: commitOf('b'), devices: 2, current: 'next' },
        ],
      },
    ]);
  });

  it('groups what needs attention by cause, worst first', async () => {
    await fleet.twenty();
    await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkInAll({ bad: [commitOf('b')] });
    for (const device of fleet.devices.slice(10, 13)) await fleet.goOffline(device);
    const conflicted = fleet.devices.at(-1)?.id ?? '';
    await fleet.db.updateTable('devices').set({ conflict: true }).where('id', '=', conflicted).execute();
    const { attention } = await look();
    expect(attention.map(({ state, code, devices, commit }) => [state, code, devices, commit])).toEqual([
      ['conflict', null, 1, null],
      ['offline', null, 3, null],
      ['healthy', 'health-failed', 2, commitOf('b')],
    ]);
    expect(attention[1]).toMatchObject({
      text: '3 devices are offline.',
      sample: ['general-10', 'general-11', 'general-12'],
    });
    expect(attention[2]?.sample).toEqual(['canary-0', 'canary-1']);
  });

  it('leaves out what an operator has to let in first, and counts it', async () => {
    await fleet.addDevices('general', 3);
    await fleet.db
      .updateTable('devices')
      .set({ membership: 'waiting' })
      .where('name', '=', 'general-1')
      .execute();
    expect(await look()).toMatchObject({ total: 2, waiting: 1 });
  });

  it('of ten thousand devices is no larger than that of ten', async () => {
    await sql`
      insert into devices (id, name, segment, role, membership, evidence, enrolled_by)
      select gen_random_uuid(), 'device-' || n, 'general', 'web', 'active', '{}', 'a test'
      from generate_series(1, 10000) n`.execute(fleet.db);
    await sql`
      insert into device_status (device_id, seen_at, health, role, commit, wanted_commit, update_state, status)
      select id, now(), case when name like '%7' then 'degraded' else 'healthy' end, 'web', ${commitOf('a')},
        ${commitOf('a')}, 'idle', '{}' from devices`.execute(fleet.db);
    const overview = await look();
    expect(overview.counts).toMatchObject({ healthy: 9_000, degraded: 1_000 });
    expect(JSON.stringify(overview).length).toBeLessThan(5_000);
  });
});
