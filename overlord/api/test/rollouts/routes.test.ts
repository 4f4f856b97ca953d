import { DEFAULT_STAGES } from '@metrica-fleet/protocol';
import { ROUTES, type Explanation, type RouteName, type RolloutSummary } from '@metrica-fleet/protocol/api';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildDeploymentControl, type DeploymentControl } from '../../src/rollouts/deployment-control.ts';
import type { Handlers } from '../../src/server/handler.ts';
import { buildServer } from '../../src/server/server.ts';
import { SILENT } from '../postgres.ts';
import { commitOf, Fleet, type SimulatedDevice } from './fleet.ts';

type App = Awaited<ReturnType<typeof buildServer>>;

let fleet: Fleet;
let control: DeploymentControl;
let app: App;
const stop = new AbortController();

beforeEach(async () => {
  fleet = await Fleet.begin();
  control = buildDeploymentControl({
    ...fleet.ports,
    db: fleet.db,
    log: SILENT,
    signal: stop.signal,
  });
  app = await buildServer({
    log: SILENT,
    version: '0',
    trustProxy: false,
    identify: [
      () =>
        Promise.resolve({ kind: 'operator', id: randomUUID(), name: 'ada', role: 'operator', csrf: null }),
    ],
    handlers: control.routes as unknown as Handlers,
  });
});
afterEach(async () => {
  await app.close();
  await fleet.end();
});

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
}

/** Calls a route; `body` is its body, or for GET its query. */
async function call(name: RouteName, id = '', body: Record<string, unknown> = {}): Promise<Answer> {
  const { method, path } = ROUTES[name];
  const query = new URLSearchParams(body as Record<string, string>).toString();
  const url = path.replace(':id', id);
  const response = await app.inject(
    method === 'GET' ? { method, url: `${url}?${query}` } : { method, url, payload: body },
  );
  return { status: response.statusCode, body: response.json() };
}

function device(name: string): SimulatedDevice {
  const found = fleet.devices.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

describe('a rollout in the hands of a person', () => {
  it('is promoted from stage to stage, and is done after the last', async () => {
    const stages = DEFAULT_STAGES.map((stage) => ({ ...stage, promotion: 'manual' }));
    await fleet.db
      .updateTable('repository')
      .set({ stages: JSON.stringify(stages) })
      .execute();
    await fleet.addDevices('canary', 1);
    await fleet.addDevices('early', 1);
    const id = await fleet.push('a');
    await fleet.engine.tick();
    await fleet.checkInAll();
    await fleet.engine.tick();
    fleet.wait(100_000);
    expect(await fleet.engine.tick()).toBe(0);
    const promoted = await call('promoteRollout', id, { reason: 'looks good' });
    expect((promoted.body as RolloutSummary).stages.map(({ state }) => state)).toEqual([
      'passed',
      'open',
      'waiting',
    ]);
    await call('promoteRollout', id);
    expect((await call('promoteRollout', id)).body).toMatchObject({ state: 'done' });
    expect((await fleet.baseline())?.commit).toBe(commitOf('a'));
    const audit = await fleet.db
      .selectFrom('audit')
      .select(['actor', 'subject', 'detail'])
      .where('action', '=', 'promote rollout')
      .orderBy('id')
      .execute();
    expect(audit[0]).toEqual({ actor: 'ada', subject: 'role:web', detail: 'aaaaaaa: early; looks good' });
    expect(audit).toHaveLength(3);
  });

  it('is paused and resumed', async () => {
    await fleet.addDevices('canary', 1);
    const id = await fleet.push('a');
    await fleet.engine.tick();
    expect((await call('pauseRollout', id, { reason: 'lunch' })).body).toMatchObject({
      state: 'paused',
      reason: 'Paused by ada: lunch',
    });
    expect((await call('resumeRollout', id)).body).toMatchObject({ state: 'running', reason: null });
  });

  it('that paused because nobody tried has all of its time again when it is resumed', async () => {
    await fleet.addDevice('canary', { online: false });
    const id = await fleet.push('a');
    await fleet.engine.tick();
    fleet.wait(86_400);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).state).toBe('paused');
    await call('resumeRollout', id);
    fleet.wait(86_000);
    await fleet.engine.tick();
    expect((await fleet.rollout(id)).state).toBe('running');
  });

  it('is halted, and what took it goes back', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkInAll();
    expect(device('canary-0').runs?.commit).toBe(commitOf('b'));
    expect((await call('haltRollout', id, { reason: 'wrong logo' })).body).toMatchObject({
      state: 'halted',
      reason: 'Halted by ada: wrong logo',
    });
    await fleet.checkInAll();
    expect(device('canary-0').runs?.commit).toBe(commitOf('a'));
  });

  it('is told nothing that its state does not allow', async () => {
    await fleet.addDevices('canary', 1);
    const id = await fleet.push('a');
    await fleet.engine.tick();
    const refused = async (name: RouteName): Promise<unknown> => {
      const { status, body } = await call(name, id);
      return [status, body.code, body.detail];
    };
    expect(await refused('resumeRollout')).toEqual([
      409,
      'conflict',
      'This rollout is running; to resume it, it must be paused.',
    ]);
    await call('haltRollout', id);
    for (const name of ['promoteRollout', 'pauseRollout', 'resumeRollout', 'haltRollout'] as const) {
      expect((await refused(name)) as unknown[]).toContain('conflict');
    }
    expect((await call('haltRollout', randomUUID())).status).toBe(404);
  });

  it('takes an older release out again, with a statement that beats all former ones', async () => {
    await fleet.twenty();
    const before = await fleet.baseline();
    await fleet.push('b');
    await fleet.engine.tick();
    const { id: release } = await fleet.db
      .selectFrom('releases')
      .select('id')
      .where('commit', '=', commitOf('a'))
      .executeTakeFirstOrThrow();
    const started = await call('startRollout', '', { release });
    expect(started.body).toMatchObject({
      state: 'running',
      commit: commitOf('a'),
      from: commitOf('a'),
      createdBy: 'ada',
    });
    await fleet.engine.tick();
    for (let stage = 0; stage < 3; stage += 1) await call('promoteRollout', started.body.id);
    expect((await fleet.baseline())?.counter).toBeGreaterThan((before?.counter ?? 0) + 1);
  });

  it('does not begin with a release that was refused, is not there, or is on its way', async () => {
    await fleet.addDevices('canary', 1);
    await fleet.push('a');
    const refused = await fleet.addRelease('b');
    await fleet.db.updateTable('releases').set({ state: 'refused' }).where('id', '=', refused).execute();
    const { id: underWay } = await fleet.db
      .selectFrom('releases')
      .select('id')
      .where('commit', '=', commitOf('a'))
      .executeTakeFirstOrThrow();
    expect((await call('startRollout', '', { release: refused })).status).toBe(409);
    expect((await call('startRollout', '', { release: underWay })).status).toBe(409);
    expect((await call('startRollout', '', { release: randomUUID() })).status).toBe(404);
  });
});

describe('the lists', () => {
  it('show rollouts, newest first, page by page, by role and by whether they are open', async () => {
    for (const letter of ['a', 'b', 'c']) {
      await fleet.push(letter);
      fleet.wait(1);
    }
    const first = await call('listRollouts', '', { limit: '2' });
    const second = await call('listRollouts', '', { limit: '2', cursor: first.body.next });
    const commits = [...first.body.items, ...second.body.items].map(
      ({ commit }: RolloutSummary) => commit[0],
    );
    expect(commits).toEqual(['c', 'b', 'a']);
    expect(second.body.next).toBeNull();
    expect((await call('listRollouts', '', { open: 'true' })).body.items).toHaveLength(1);
    expect((await call('listRollouts', '', { open: 'false' })).body.items).toHaveLength(2);
    expect((await call('listRollouts', '', { role: 'camera' })).body.items).toEqual([]);
  });

  it('show the devices of a rollout, by how they stand', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkIn(device('canary-0'), { bad: [commitOf('b')] });
    const all = await call('listRolloutDevices', id);
    expect(
      all.body.items.map(({ name, state, stage }: Record<string, unknown>) => [name, state, stage]),
    ).toEqual([
      ['canary-0', 'failed', 0],
      ['canary-1', 'pending', 0],
    ]);
    const failed = await call('listRolloutDevices', id, { state: 'failed' });
    expect(failed.body.items).toMatchObject([
      { name: 'canary-0', online: true, problem: { code: 'health-failed' } },
    ]);
    expect((await call('listRolloutDevices', randomUUID())).status).toBe(404);
  });
});

describe('explain', () => {
  const explain = async (name: string): Promise<Explanation> => {
    await control.begin();
    return (await call('explainDevice', device(name).id)).body as Explanation;
  };

  it('says what a check-in would be answered with, and every rule that was looked at', async () => {
    await fleet.twenty();
    const id = await fleet.push('b');
    await fleet.engine.tick();
    expect(await explain('canary-0')).toMatchObject({
      desired: { role: 'web', commit: commitOf('b'), rollout: id },
    });
    const general = await explain('general-7');
    expect(general.desired).toEqual({ role: 'web', commit: commitOf('a'), rollout: null });
    expect(general.rules.map(({ rule, verdict }) => `${rule} ${verdict}`)).toEqual([
      'membership passes',
      'role passes',
      'updates passes',
      'rollout passes',
      'baseline decides',
      'running notes',
    ]);
    expect(general.rules[3]?.text).toBe('The rollout of bbbbbbb is at canary; its stage is general.');
  });

  it('notes what stands in the way on the device: away, or refused', async () => {
    await fleet.twenty();
    await fleet.push('b');
    await fleet.engine.tick();
    await fleet.checkIn(device('canary-0'), { bad: [commitOf('b')] });
    await fleet.goOffline(device('canary-1'));
    const notes = ({ rules }: Explanation): string[] =>
      rules.filter(({ verdict }) => verdict === 'notes').map(({ rule }) => rule);
    expect(notes(await explain('canary-0'))).toEqual(['quarantine']);
    expect(notes(await explain('canary-1'))).toEqual(['offline']);
  });

  it('says the same as the answer to the check-in', async () => {
    await fleet.twenty();
    await fleet.push('b');
    await fleet.engine.tick();
    for (const one of fleet.devices) {
      const { desired } = await explain(one.name);
      const facts = { ...one, membership: 'active', role: 'web', site: null, updatesOff: false } as const;
      const answer = control.wantedBy(facts, one.position);
      expect(answer?.desired).toMatchObject({ role: desired?.role, commit: desired?.commit });
    }
  });

  it('does not know a device that is not there', async () => {
    expect((await call('explainDevice', randomUUID())).status).toBe(404);
  });
});
