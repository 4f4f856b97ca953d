import { TOPICS } from '@metrica-fleet/protocol/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, type ChangeTopic } from '../../src/db/announce.ts';
import { Overlord, until, type Listening } from './overlord.ts';

let overlord: Overlord;
beforeEach(async () => {
  overlord = await Overlord.begin();
});
afterEach(() => overlord.end());

const EVERYTHING = TOPICS.map((topic) => ({ topic, id: '' }));
const changed = (topic: ChangeTopic, id = ''): Promise<void> => announce(overlord.db, topic, id);

/** A dashboard that has seen its first, empty delta. */
async function watch(replica: Awaited<ReturnType<Overlord['replica']>>, after?: string): Promise<Listening> {
  const stream = await replica.dashboard(after);
  await stream.has(1);
  return stream;
}

describe('a dashboard', () => {
  it('begins with an empty delta, by whose id it can come back', async () => {
    const stream = await watch(await overlord.replica());
    expect(stream.events[0]?.data).toMatchObject({ states: [], changed: [] });
    expect(stream.events[0]?.id).toBe(stream.events[0]?.data.id);
  });

  it('hears what changed, coalesced by topic and id, and nothing that is only ours', async () => {
    const replica = await overlord.replica({ delta: 200 });
    const stream = await watch(replica);
    for (let round = 0; round < 5; round += 1) {
      await changed('rollouts', 'a');
      await changed('rollouts', 'b');
      await changed('releases');
      await changed('decisions');
      await changed('signals');
    }
    const [, delta] = await stream.has(2);
    expect(delta?.data.changed).toEqual([
      { topic: 'rollouts', id: 'a' },
      { topic: 'rollouts', id: 'b' },
      { topic: 'releases', id: '' },
    ]);
  });

  it('hears at most one delta in a pause', async () => {
    const replica = await overlord.replica({ delta: 100 });
    const stream = await watch(replica);
    const begun = performance.now();
    while (performance.now() - begun < 450) {
      await changed('releases');
      await sleep(5);
    }
    expect(stream.events.length - 1).toBeLessThanOrEqual(4);
    expect(stream.events.length).toBeGreaterThan(2);
  });

  it('hears how devices stand that may look different, from whatever replica', async () => {
    const [one, two] = [await overlord.replica(), await overlord.replica()];
    const [front, back] = [await overlord.addDevice('front'), await overlord.addDevice('back')];
    await overlord.db
      .updateTable('device_status')
      .set({ health: 'degraded' })
      .where('device_id', '=', back)
      .execute();
    const stream = await watch(one);
    two.signals.changed([front, back]);
    const [, delta] = await stream.has(2);
    expect(new Map(delta?.data.states)).toEqual(
      new Map([
        [front, 'healthy'],
        [back, 'degraded'],
      ]),
    );
  });

  it('hears when a device that listens comes and goes', async () => {
    const replica = await overlord.replica();
    const front = await overlord.addDevice('front');
    await overlord.db
      .updateTable('device_status')
      .set({ seen_at: new Date(0) })
      .execute();
    const stream = await watch(replica);
    const device = await replica.device(front);
    const states = (): unknown => stream.events.flatMap(({ data }) => data.states);
    await until(() => JSON.stringify(states()) === JSON.stringify([[front, 'healthy']]));
    device.hangUp();
    const both = JSON.stringify([
      [front, 'healthy'],
      [front, 'offline'],
    ]);
    await until(() => JSON.stringify(states()) === both);
    expect(states()).toHaveLength(2);
  });

  it('is told to look at all when very many devices changed', async () => {
    const replica = await overlord.replica();
    const stream = await watch(replica);
    replica.signals.changed(Array.from({ length: 1_000 }, (_, index) => `device-${index}`));
    const [, delta] = await stream.has(2);
    expect(delta?.data.changed).toContainEqual({ topic: 'devices', id: '' });
    expect(delta?.data.states).toEqual([]);
  });

  it('hears a heartbeat', async () => {
    const stream = await watch(await overlord.replica({ dashboardHeartbeat: 10 }));
    await until(() => stream.lines.includes(': beat'));
    expect(stream.closed).toBe(false);
  });
});

describe('a dashboard that comes back', () => {
  it('is told what it missed', async () => {
    const replica = await overlord.replica();
    const stream = await watch(replica);
    const other = await watch(replica);
    stream.hangUp();
    await changed('rollouts', 'a');
    await other.has(2);
    await changed('rollouts', 'b');
    await other.has(3);
    const back = await watch(replica, stream.events[0]?.id);
    expect(back.events[0]?.data.changed).toEqual([
      { topic: 'rollouts', id: 'a' },
      { topic: 'rollouts', id: 'b' },
    ]);
    expect(back.events[0]?.id).toBe(other.events[2]?.id);
  });

  it('is told that everything changed when nobody knows what it missed', async () => {
    const [one, two] = [await overlord.replica(), await overlord.replica()];
    const stream = await watch(one);
    for (const after of [stream.events[0]?.id, 'never-heard-of-it']) {
      const back = await watch(two, after);
      expect(back.events[0]?.data).toMatchObject({ states: [], changed: EVERYTHING });
    }
  });

  it('is told that everything changed after the overlord itself has missed news', async () => {
    const replica = await overlord.replica();
    const stream = await watch(replica);
    replica.signals.onGap();
    const [, delta] = await stream.has(2);
    expect(delta?.data.changed).toEqual(EVERYTHING);
  });
});
