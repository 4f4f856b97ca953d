import { DEFAULT_STAGES, shareOf } from '@metrica-fleet/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitOf, Fleet } from './fleet.ts';

let fleet: Fleet;
beforeEach(async () => {
  fleet = await Fleet.begin();
});
afterEach(() => fleet.end());

const running = (commit: string): number =>
  fleet.devices.filter(({ runs }) => runs?.commit === commit).length;

describe('a good release', () => {
  it('goes to canary, early and general, each woken when its turn comes, and becomes the baseline', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    for (const [count, total] of [
      [2, 2],
      [5, 7],
      [13, 20],
    ] as const) {
      await fleet.engine.tick();
      expect(await fleet.woken()).toHaveLength(count);
      await fleet.checkInAll();
      expect(running(commitOf('b'))).toBe(total);
      await fleet.engine.tick();
      expect(await fleet.woken()).toEqual([]);
      fleet.wait(601);
    }
    expect((await fleet.rollout(id)).state).toBe('done');
    expect((await fleet.baseline())?.commit).toBe(commitOf('b'));
    const actions = await fleet.db
      .selectFrom('audit')
      .select('action')
      .orderBy('id', 'desc')
      .limit(5)
      .execute();
    expect(actions.map(({ action }) => action)).toEqual([
      'finish rollout',
      'open stage',
      'open stage',
      'open stage',
      'start rollout',
    ]);
  });

  it('is not offered to anybody before its stage is open', async () => {
    await fleet.twenty();
    await fleet.push('b');
    await fleet.checkInAll();
    expect(running(commitOf('b'))).toBe(0);
  });

  it('does not wait for absent devices, which take it when they return (invariant 5)', async () => {
    await fleet.twenty();
    const [canary, second] = fleet.devices;
    if (canary === undefined || second === undefined) throw new Error('no canaries');
    await fleet.goOffline(second);
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkIn(canary);
    await fleet.engine.tick();
    fleet.wait(601);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).opened).toBe(2);
    await fleet.checkIn(second);
    expect(second.runs?.commit).toBe(commitOf('b'));
    expect((await fleet.rollout(id)).counts[0]).toMatchObject({ total: 2, healthy: 2 });
  });

  it('goes on without a device that vanished in the middle of it', async () => {
    await fleet.twenty();
    const [canary, second] = fleet.devices;
    if (canary === undefined || second === undefined) throw new Error('no canaries');
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkIn(canary);
    await fleet.says(second, {
      state: 'staging',
      health: 'updating',
      wanted: { role: 'web', commit: commitOf('b'), digest: null },
    });
    await fleet.engine.tick();
    fleet.wait(601);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).opened).toBe(1);
    await fleet.goOffline(second);
    await fleet.engine.tick();
    fleet.wait(601);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).opened).toBe(2);
  });
});

describe('a bad release', () => {
  it('halts in canary, names the pattern, and nobody else ever gets it (invariant 4)', async () => {
    await fleet.twenty();
    const before = await fleet.baseline();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.woken();
    await fleet.checkInAll({ bad: [commitOf('b')] });
    await fleet.engine.tick();

    const { state, reason, opened, counts } = await fleet.rollout(id);
    expect(state).toBe('halted');
    expect(opened).toBe(1);
    expect(counts[0]).toMatchObject({ total: 2, failed: 2 });
    expect(reason).toBe(
      '2 of 2 devices that tried it in canary failed, with health-failed («The service web is not healthy»), ' +
        'all on Raspberry Pi 4 Model B, all coming from aaaaaaa',
    );
    expect(await fleet.woken()).toEqual(['canary-0', 'canary-1']);
    const after = await fleet.baseline();
    expect(after?.commit).toBe(before?.commit);
    expect(after?.counter).toBeGreaterThan(before?.counter ?? 0);

    for (let day = 0; day < 3; day += 1) {
      fleet.wait(86_400);
      await fleet.engine.tick();
      await fleet.checkInAll();
    }
    expect(running(commitOf('a'))).toBe(20);
  });

  it('is taken back from those that run it well, when others fail', async () => {
    await fleet.twenty();
    const [good, bad] = fleet.devices;
    if (good === undefined || bad === undefined) throw new Error('no canaries');
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkIn(good);
    await fleet.checkIn(bad, { bad: [commitOf('b')] });
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).state).toBe('halted');
    expect(good.runs?.commit).toBe(commitOf('b'));
    await fleet.checkIn(good);
    expect(good.runs?.commit).toBe(commitOf('a'));
    const states = await fleet.db
      .selectFrom('rollout_devices')
      .select('state')
      .where('rollout_id', '=', id)
      .orderBy('state')
      .execute();
    expect(states.map(({ state }) => state)).toEqual(['failed', 'returned']);
  });

  it('that is the first of its role halts, too, and says that there is nothing to go back to', async () => {
    await fleet.addDevices('canary', 1);
    const id = await fleet.push('a');
    await fleet.engine.tick();
    await fleet.checkInAll({ bad: [commitOf('a')] });
    await fleet.engine.tick();
    const { state, reason } = await fleet.rollout(id);
    expect(state).toBe('halted');
    expect(reason).toContain('there is no former release to go back to');
    expect(await fleet.baseline()).toBeUndefined();
  });
});

describe('a rollout', () => {
  it('of a role without a device is done at once, and those who come get it', async () => {
    const id = await fleet.push('a');
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).state).toBe('done');
    const device = await fleet.addDevice('general');
    await fleet.checkIn(device);
    expect(device.runs?.commit).toBe(commitOf('a'));
  });

  it('begins with the device of the lowest share where nobody is a canary', async () => {
    await fleet.addDevices('general', 5);
    const id = await fleet.push('a');
    await fleet.engine.tick();
    const { release_id: release } = await fleet.db
      .selectFrom('rollouts')
      .select('release_id')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const lowest = [...fleet.devices].sort((a, b) => shareOf(a.id, release) - shareOf(b.id, release))[0];
    expect(await fleet.woken()).toEqual([lowest?.name]);
    await fleet.checkInAll({ bad: [commitOf('a')] });
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).state).toBe('halted');
    expect((await fleet.rollout(id)).counts[0]).toMatchObject({ total: 1, failed: 1 });
  });

  it('counts a newcomer from its first check-in on', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    const newcomer = await fleet.addDevice('canary');
    await fleet.checkIn(newcomer);
    expect((await fleet.rollout(id)).counts[0]).toMatchObject({ total: 3, pending: 2, healthy: 1 });
  });

  it('passes over devices whose updates are off', async () => {
    await fleet.twenty();
    const [held] = fleet.devices;
    await fleet.db
      .updateTable('devices')
      .set({ updates_off: true })
      .where('id', '=', held?.id ?? '')
      .execute();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).counts[0]).toMatchObject({ total: 1 });
  });

  it('pauses when nobody was ever there, and does not stand in the way of the next', async () => {
    await fleet.addDevice('canary', { online: false });
    const first = await fleet.push('a');
    await fleet.engine.tick();
    fleet.wait(86_400);
    await fleet.engine.tick();
    expect(await fleet.rollout(first)).toMatchObject({ state: 'paused' });
    const second = await fleet.push('b');
    expect(await fleet.rollout(first)).toMatchObject({
      state: 'superseded',
      reason: 'Superseded by bbbbbbb',
    });
    await fleet.engine.tick();
    const [device] = fleet.devices;
    if (device === undefined) throw new Error('no device');
    await fleet.checkIn(device);
    await fleet.engine.tick();
    fleet.wait(601);
    await fleet.engine.tick();
    expect((await fleet.rollout(second)).state).toBe('done');
  });

  it('is superseded by a newer release; who had it keeps it until the newer one comes', async () => {
    await fleet.twenty();
    await fleet.push('b');
    for (let stage = 0; stage < 2; stage += 1) {
      await fleet.engine.tick();
      await fleet.checkInAll();
      await fleet.engine.tick();
      fleet.wait(601);
    }
    expect(running(commitOf('b'))).toBe(7);
    await fleet.push('c');
    await fleet.engine.tick();
    await fleet.checkInAll();
    expect([running(commitOf('a')), running(commitOf('b')), running(commitOf('c'))]).toEqual([13, 5, 2]);
  });

  it('covers the same devices in the database as in memory, by share', async () => {
    const general = DEFAULT_STAGES.find(({ segment }) => segment === 'general');
    if (general === undefined) throw new Error('no general stage');
    await fleet.db
      .updateTable('repository')
      .set({ stages: JSON.stringify([{ ...general, percent: 50 }, general]) })
      .execute();
    await fleet.addDevices('general', 40);
    await fleet.push('a');
    await fleet.engine.tick();
    const covered = (await fleet.woken()).length;
    expect(covered).toBeGreaterThan(0);
    expect(covered).toBeLessThan(40);
    await fleet.checkInAll();
    expect(running(commitOf('a'))).toBe(covered);
  });
});
