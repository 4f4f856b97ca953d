import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitOf, Fleet } from './fleet.ts';

let fleet: Fleet;
beforeEach(async () => {
  fleet = await Fleet.begin();
});
afterEach(() => fleet.end());

describe('the engine', () => {
  it('does each thing once when two tick at the same time', async () => {
    await fleet.twenty();
    await fleet.push('b');
    const other = fleet.newEngine();
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([fleet.engine.tick(), other.tick(), fleet.engine.tick(), other.tick()]);
    }
    expect(await fleet.woken()).toEqual(['canary-0', 'canary-1']);
    const opened = await fleet.db
      .selectFrom('audit')
      .selectAll()
      .where('action', '=', 'open stage')
      .where('detail', 'like', 'bbbbbbb%')
      .execute();
    expect(opened).toHaveLength(1);
  });

  it('that dies in the middle of a transition leaves nothing of it, and another one makes it', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    const dying = fleet.newEngine({ wake: () => Promise.reject(new Error('killed')) });
    await expect(dying.tick()).rejects.toThrow('killed');
    expect((await fleet.rollout(id)).opened).toBe(0);
    expect(await fleet.woken()).toEqual([]);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).opened).toBe(1);
    expect(await fleet.woken()).toHaveLength(2);
  });

  it('whose connection is cut between two transitions is followed by another that goes on', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkInAll();
    const cut = fleet.newEngine({
      wake: async (trx) => {
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
      },
    });
    await fleet.engine.tick();
    fleet.wait(601);
    await expect(cut.tick()).rejects.toThrow();
    expect((await fleet.rollout(id)).opened).toBe(1);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).opened).toBe(2);
  });

  it('halts only when the way back can be signed, and tries again until then', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkInAll({ bad: [commitOf('b')] });
    const keyless = fleet.newEngine({ sign: () => Promise.reject(new Error('no key')) });
    await expect(keyless.tick()).rejects.toThrow('no key');
    expect((await fleet.rollout(id)).state).toBe('running');
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).state).toBe('halted');
  });
});
