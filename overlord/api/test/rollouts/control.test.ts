import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../src/db/listen.ts';
import { buildDeploymentControl, type DeploymentControl } from '../../src/rollouts/deployment-control.ts';
import { SILENT } from '../postgres.ts';
import { commitOf, Fleet, type SimulatedDevice } from './fleet.ts';

/** One overlord's Deployment Control, with news and an engine that runs by itself. */
interface Running {
  readonly control: DeploymentControl;
  stop(): Promise<void>;
}

let fleet: Fleet;
const running: Running[] = [];
beforeEach(async () => {
  fleet = await Fleet.begin();
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await fleet.end();
});

async function start(
  interval: number,
  onSignals: (control: DeploymentControl) => void = () => undefined,
): Promise<DeploymentControl> {
  const stop = new AbortController();
  const { signal } = stop;
  const control = buildDeploymentControl({
    ...fleet.ports,
    db: fleet.db,
    log: SILENT,
    signal,
    interval,
  });
  await control.begin();
  let heard: () => void = () => undefined;
  const listening = new Promise<void>((resolve) => (heard = resolve));
  const onGap = (): void => {
    control.onGap();
    heard();
  };
  const news = listen(
    fleet.database.url,
    {
      onChange: (change) => {
        control.onChange(change);
        if (change.topic === 'signals') onSignals(control);
      },
      onGap,
    },
    { log: SILENT, signal },
  );
  await listening;
  const engine = control.run();
  running.push({
    control,
    async stop() {
      stop.abort();
      await Promise.all([news, engine]);
    },
  });
  return control;
}

function commitFor(control: DeploymentControl, device: SimulatedDevice): string | null {
  const facts = { ...device, membership: 'active', role: 'web', site: null, updatesOff: false } as const;
  const desired = control.wantedBy(facts, device.position)?.desired ?? 'nothing';
  return desired === 'nothing' ? null : desired.commit;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

async function push(control: DeploymentControl, letter: string): Promise<void> {
  const releaseId = await fleet.addRelease(letter);
  await fleet.db.transaction().execute(async (trx) => {
    const statementId = await fleet.ports.sign(trx, releaseId);
    await control.rollOut(trx, { releaseId, role: 'web', statementId });
  });
}

describe('Deployment Control', () => {
  it('takes a push to the canaries at once, at every replica, without waiting for its interval', async () => {
    const [one, two] = [await start(600_000), await start(600_000)];
    const canary = await fleet.addDevice('canary');
    const general = await fleet.addDevice('general');
    await push(one, 'a');
    for (const control of [one, two]) await until(() => commitFor(control, canary) === commitOf('a'));
    expect(commitFor(two, general)).toBeNull();
    expect(await fleet.woken()).toEqual([canary.name]);
  });

  it('goes on by itself when devices say that they are well', async () => {
    const control = await start(10);
    const canary = await fleet.addDevice('canary');
    const general = await fleet.addDevice('general');
    await push(control, 'a');
    await until(() => commitFor(control, canary) === commitOf('a'));
    await fleet.checkIn(canary);
    await until(
      async () =>
        (await fleet.db.selectFrom('rollouts').select('progress').executeTakeFirst())?.progress[0]
          ?.metSince !== null,
    );
    fleet.wait(601);
    await until(() => commitFor(control, general) === commitOf('a'));
    expect(await fleet.woken()).toEqual([canary.name, general.name]);
  });

  it('has decided anew when it says that it is ready: who is woken asks at once, and must not hear «nothing new»', async () => {
    const canary = await fleet.addDevice('canary');
    const answers: (string | null)[] = [];
    const control = await start(600_000, (one) => {
      void (async () => {
        await one.ready();
        answers.push(commitFor(one, canary));
      })();
    });
    await push(control, 'a');
    await until(() => answers.length > 0);
    expect(answers).toEqual([commitOf('a')]);
  });

  it('wakes the devices whose values changed, and only those', async () => {
    const control = await start(600_000);
    for (const segment of ['canary', 'early', 'general'] as const) await fleet.addDevice(segment);
    await fleet.db.updateTable('devices').set({ site: 'shop' }).where('name', '=', 'early-1').execute();
    await fleet.db
      .insertInto('variable_files')
      .values({ kind: 'device', name: 'general-2', role: null, site: 'shop', vars: '{}' })
      .execute();
    const changed = (files: Parameters<DeploymentControl['variablesChanged']>[1]): Promise<void> =>
      fleet.db.transaction().execute((trx) => control.variablesChanged(trx, files));
    await changed([{ kind: 'site', name: 'shop' }]);
    expect(await fleet.woken()).toEqual(['early-1', 'general-2']);
    await changed([{ kind: 'device', name: 'canary-0' }]);
    expect(await fleet.woken()).toEqual(['canary-0']);
    await changed([{ kind: 'site', name: 'elsewhere' }]);
    expect(await fleet.woken()).toEqual([]);
  });

  it('has nothing for a device before the first release', async () => {
    const control = await start(600_000);
    const device = await fleet.addDevice('general');
    const facts = { ...device, membership: 'active', role: 'web', site: null, updatesOff: false } as const;
    expect(control.wantedBy(facts, null)?.desired).toBe('nothing');
    expect(control.wantedBy({ ...facts, updatesOff: true }, null)).toBeNull();
  });
});
