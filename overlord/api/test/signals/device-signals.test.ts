import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce } from '../../src/db/announce.ts';
import { forgetSignals } from '../../src/signals/signal-hub.ts';
import { splayFor, wake } from '../../src/signals/wake.ts';
import { Overlord, until } from './overlord.ts';

let overlord: Overlord;
beforeEach(async () => {
  overlord = await Overlord.begin();
});
afterEach(() => overlord.end());

/** Wakes devices, and returns the id of the last signal. */
async function wakeUp(...devices: string[]): Promise<string> {
  await overlord.db.transaction().execute((trx) => wake(trx, devices, { reason: 'release', splay: 7 }));
  const { rows } = await sql<{ id: string }>`select max(id) as id from signals`.execute(overlord.db);
  return rows[0]?.id ?? '';
}

async function connectedUntil(device: string): Promise<Date | null> {
  const row = await overlord.db
    .selectFrom('device_status')
    .select('connected_until')
    .where('device_id', '=', device)
    .executeTakeFirstOrThrow();
  return row.connected_until;
}

describe('a device that listens', () => {
  it('is woken when the transaction commits, and nobody else is', async () => {
    const replica = await overlord.replica();
    const [front, back] = [await overlord.addDevice('front'), await overlord.addDevice('back')];
    const streams = [await replica.device(front), await replica.device(back)] as const;
    const id = await wakeUp(front);
    expect(await streams[0].has(1)).toEqual([{ id, data: { id, reason: 'release', splay: 7 } }]);
    await wakeUp(back);
    await streams[1].has(1);
    expect(streams[0].events).toHaveLength(1);
  });

  it('is woken at whatever replica it listens', async () => {
    const [one, two] = [await overlord.replica(), await overlord.replica()];
    const [front, back] = [await overlord.addDevice('front'), await overlord.addDevice('back')];
    const streams = [await one.device(front), await two.device(back)];
    await wakeUp(front, back);
    for (const stream of streams) expect(await stream.has(1)).toHaveLength(1);
  });

  it('is told once of many wake-ups that came together, by the last', async () => {
    const replica = await overlord.replica();
    const front = await overlord.addDevice('front');
    const stream = await replica.device(front);
    const id = await wakeUp(front, front, front);
    expect((await stream.has(1))[0]?.id).toBe(id);
    expect(stream.events).toHaveLength(1);
  });

  it('is not woken before its replica decides by what was committed', async () => {
    let decide: () => void = () => undefined;
    const decided = new Promise<void>((resolve) => (decide = resolve));
    const replica = await overlord.replica({}, () => decided);
    const front = await overlord.addDevice('front');
    const stream = await replica.device(front);
    await wakeUp(front);
    await sleep(100);
    expect(stream.events).toEqual([]);
    decide();
    expect(await stream.has(1)).toHaveLength(1);
  });

  it('hears a heartbeat, and when to come back', async () => {
    const replica = await overlord.replica({ deviceHeartbeat: 10 });
    const stream = await replica.device(await overlord.addDevice('front'));
    await until(() => stream.lines.includes(': beat'));
    expect(stream.lines.slice(0, 2)).toEqual([': every 0.01', 'retry: 10000']);
  });

  it.each([
    [60, ': every 60'],
    [1, ': every 10'],
    [80_000, ': every 3600'],
  ])('is promised the heartbeat that its role asks for, %i s, within reason', async (heartbeat, promise) => {
    const replica = await overlord.replica();
    const stream = await replica.device(await overlord.addDevice('front'), { heartbeat });
    await until(() => stream.lines.length > 1);
    expect(stream.lines[0]).toBe(promise);
  });
});

describe('a device that comes back', () => {
  it('is caught up from its last id, with one wake-up for all that it missed', async () => {
    const replica = await overlord.replica();
    const front = await overlord.addDevice('front');
    const first = await wakeUp(front);
    expect((await (await replica.device(front, { after: String(Number(first) - 1) })).has(1))[0]?.id).toBe(
      first,
    );
    const stream = await replica.device(front, { after: first });
    const last = await wakeUp(front);
    expect((await stream.has(1))[0]?.id).toBe(last);
    expect(stream.events).toHaveLength(1);
  });

  it('without an id is woken for what came after its last check-in', async () => {
    const [front, back] = [await overlord.addDevice('front'), await overlord.addDevice('back')];
    await wakeUp(front, back);
    await overlord.db
      .updateTable('signals')
      .set({ created_at: sql`now() - interval '1 hour'` })
      .execute();
    await overlord.db
      .updateTable('device_status')
      .set({ seen_at: sql`now() - interval '2 hours'` })
      .where('device_id', '=', front)
      .execute();
    const replica = await overlord.replica();
    const asleep = await replica.device(back);
    expect(await (await replica.device(front)).has(1)).toHaveLength(1);
    expect(asleep.events).toEqual([]);
  });

  it('takes the place of its former stream', async () => {
    const replica = await overlord.replica();
    const front = await overlord.addDevice('front');
    const former = await replica.device(front);
    const stream = await replica.device(front);
    await until(() => former.closed);
    await wakeUp(front);
    expect(await stream.has(1)).toHaveLength(1);
    expect(former.events).toEqual([]);
    expect(replica.signals.connected(front)).toBe(true);
  });

  it('finds no signals of the day before', async () => {
    const front = await overlord.addDevice('front');
    await wakeUp(front);
    await overlord.db
      .updateTable('signals')
      .set({ created_at: sql`now() - interval '25 hours'` })
      .execute();
    const kept = await wakeUp(front);
    await forgetSignals(overlord.db);
    const rows = await overlord.db.selectFrom('signals').select('id').execute();
    expect(rows).toEqual([{ id: kept }]);
  });
});

describe('a stream', () => {
  it('ends with the token of the device', async () => {
    const replica = await overlord.replica();
    const stream = await replica.device(await overlord.addDevice('front'), { life: 30 });
    await until(() => stream.closed);
    expect(stream.events).toEqual([]);
  });

  it('ends when the device is revoked, at every replica', async () => {
    const replica = await overlord.replica();
    const [front, back] = [await overlord.addDevice('front'), await overlord.addDevice('back')];
    const streams = [await replica.device(front), await replica.device(back)] as const;
    await overlord.db.transaction().execute(async (trx) => {
      await trx.updateTable('devices').set({ membership: 'revoked' }).where('id', '=', front).execute();
      await announce(trx, 'devices', front);
      await announce(trx, 'devices', back);
    });
    await until(() => streams[0].closed);
    expect(streams[1].closed).toBe(false);
  });

  it('makes its device online at all replicas for as long as it is open', async () => {
    const replica = await overlord.replica();
    const front = await overlord.addDevice('front');
    const stream = await replica.device(front);
    expect(replica.signals.connected(front)).toBe(true);
    await until(async () => ((await connectedUntil(front))?.getTime() ?? 0) > Date.now());
    stream.hangUp();
    await until(async () => (await connectedUntil(front)) === null);
    expect(replica.signals.connected(front)).toBe(false);
  });

  it('that was opened at another replica keeps its device online when the former one closes', async () => {
    const [one, two] = [await overlord.replica(), await overlord.replica({ lease: 120_000 })];
    const front = await overlord.addDevice('front');
    const former = await one.device(front);
    await until(async () => (await connectedUntil(front)) !== null);
    const before = await connectedUntil(front);
    await two.device(front);
    await until(async () => (await connectedUntil(front))?.getTime() !== before?.getTime());
    former.hangUp();
    await until(() => !one.signals.connected(front));
    await sleep(100);
    expect(await connectedUntil(front)).not.toBeNull();
  });

  it('that ends and is opened again soon is no news', async () => {
    const replica = await overlord.replica({ away: 100 });
    const front = await overlord.addDevice('front');
    const former = await replica.device(front);
    await until(async () => (await connectedUntil(front)) !== null);
    former.hangUp();
    await until(() => !replica.signals.connected(front));
    await replica.device(front);
    await sleep(300);
    expect(await connectedUntil(front)).not.toBeNull();
  });

  it('whose replica stops is good until its device had time to come back', async () => {
    const replica = await overlord.replica({ away: 5_000 });
    const front = await overlord.addDevice('front');
    const stream = await replica.device(front);
    await until(async () => (await connectedUntil(front)) !== null);
    await replica.signals.stop();
    await until(() => stream.closed);
    const word = (await connectedUntil(front))?.getTime() ?? 0;
    expect(word - Date.now()).toBeGreaterThan(0);
    expect(word - Date.now()).toBeLessThanOrEqual(5_000);
  });
});

it('a stage of many devices is spread, and never for longer than ten minutes', () => {
  expect([1, 100, 1_000, 10_000_000].map(splayFor)).toEqual([0, 0, 10, 600]);
});
