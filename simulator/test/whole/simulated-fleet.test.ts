import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceView } from '../../src/device.ts';
import { FleetRepo } from './fleet-repo.ts';
import { Overlord } from './overlord.ts';
import { compile } from './program.ts';
import { Simulator } from './simulator.ts';

const SEGMENTS = { canary: 2, early: 18, general: 180 } as const;
const CANARIES = ['pi-0001', 'pi-0002'];
/** Milliseconds for one chapter; an idle machine takes a tenth of it. */
const LIMIT = 110_000;

let repo: FleetRepo;
let overlord: Overlord;
let fleet: Simulator;
/** The commit that all run at the end of a chapter. */
let settled: string;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await compile('overlord/api', 'simulator');
  repo = await FleetRepo.create();
  cleanups.push(() => repo.remove());
  settled = await repo.push('site/index.html', (page) => `${page}<!-- one -->\n`);
  overlord = await Overlord.start(repo.path);
  cleanups.push(() => overlord.remove());
  const invitations = [];
  for (const [segment, devices] of Object.entries(SEGMENTS))
    invitations.push(await overlord.invite(segment, devices));
  fleet = new Simulator(overlord, { invitations, tls: false, faults: 'some', seed: '7' });
  cleanups.push(() => fleet.end());
}, LIMIT);
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
}, 60_000);

const on =
  (commit: string) =>
  (device: DeviceView): boolean =>
    device.commit === commit && device.health === 'healthy';

interface Rollout {
  readonly state: string;
  readonly commit: string;
  readonly reason: string | null;
}

/** The rollout of a commit, once it is as expected. */
async function rollout(commit: string, state: string): Promise<Rollout> {
  for (;;) {
    const { items } = await overlord.ask<{ items: readonly Rollout[] }>('rollouts');
    const found = items.find((one) => one.commit === commit && one.state === state);
    if (found !== undefined) return found;
    await sleep(300);
  }
}

describe('200 simulated devices and a real overlord', () => {
  it('join its fleet, and run the release of their role', { timeout: LIMIT }, async () => {
    await fleet.all(on(settled));
    expect(fleet.events('all-joined')).toEqual([{ event: 'all-joined', devices: 200 }]);
  });

  it('take a good release, the canaries first', { timeout: LIMIT }, async () => {
    const good = await repo.push('site/index.html', (page) => `${page}<!-- two -->\n`);
    await fleet.all(on(good));
    await rollout(good, 'done');
    expect([...fleet.devicesWith('updated', good).slice(0, 2)].sort()).toEqual(CANARIES);
    settled = good;
  });

  it(
    'stop a bad one in canary, which goes back, and no other device sees it',
    { timeout: LIMIT },
    async () => {
      const bad = await repo.push('compose.yaml', (text) =>
        text.replace(/(web:\n +image: busybox:1.36.1)/, '$1-broken'),
      );
      const { reason } = await rollout(bad, 'halted');
      expect(reason).toContain('health-failed');
      await fleet.all(on(settled));
      expect(fleet.devicesWith('failed', bad).length).toBeGreaterThan(0);
      expect(CANARIES).toEqual(expect.arrayContaining([...fleet.devicesWith('update-started', bad)]));
    },
  );

  it('catch up when they have been cut off, and come back from a reboot', { timeout: LIMIT }, async () => {
    await fleet.ask('POST', '/devices/pi-0042/cut');
    const next = await repo.push('compose.yaml', (text) => text.replace('-broken', ''));
    await fleet.all((device) => on(device.name === 'pi-0042' ? settled : next)(device));
    expect(await fleet.ask('POST', '/devices/pi-0042/reboot')).toMatchObject({
      network: 'cut',
      power: 'off',
    });
    await fleet.ask('POST', '/devices/pi-0042/restore');
    await fleet.all(on(next));
    const { boots } = await fleet.ask<DeviceView>('GET', '/devices/pi-0042');
    expect(boots).toBeGreaterThan(1);
    settled = next;
  });

  it('trust the authority that they were given, and join by TLS', { timeout: LIMIT }, async () => {
    const invitations = [await overlord.invite('general', 3)];
    const more = new Simulator(overlord, { invitations, tls: true, faults: 'none', seed: '8' });
    try {
      await more.all(on(settled));
      expect(more.events('all-joined')).toHaveLength(1);
      expect(more.events('crash')).toEqual([]);
    } finally {
      expect(await more.end()).toBe(0);
    }
  });

  it('show no bug of the agent', () => {
    expect(fleet.events('crash')).toEqual([]);
  });
});
