import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import { ControlPlane } from './control-plane.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { newPi, newRepo } from './stage.ts';

/** Seconds that a device's token is good here. */
const TOKEN_LIFE = 10;

/** A report, as it waits on the device and as the overlord has it. */
interface Reported {
  readonly kind: string;
  readonly at: string;
}

describe('a Pi of a fleet', () => {
  let device: Device;
  let repo: FleetRepo;
  let overlord: ControlPlane;
  let id: string;
  beforeAll(async () => {
    repo = await newRepo();
    const first = await repo.push('First', {
      ...templateRole(),
      'fleet.yaml': 'rollout:\n  stages:\n    - {segment: general}\n',
    });
    [device, overlord] = await Promise.all([
      newPi('trixie', 'away'),
      ControlPlane.start(repo.url, ['--device-token-life', String(TOKEN_LIFE)]),
    ]);
    await overlord.enrols(device, 'hello');
    await device.settlesOn(first);
    id = (await overlord.ask<{ items: { id: string }[] }>('devices')).items[0]?.id ?? '';
  });
  afterAll(async () => {
    await overlord.stop();
    await device.pi.destroy();
    await repo.close();
  });

  /** What the device has told the overlord, oldest first. */
  async function timeline(): Promise<readonly Reported[]> {
    const { items } = await overlord.ask<{ items: Reported[] }>(`devices/${id}/events?limit=100`);
    return items.map(({ kind, at }) => ({ kind, at })).reverse();
  }

  /** What waits on the card for the overlord, oldest first. */
  async function outbox(): Promise<readonly Reported[]> {
    const { stdout } = await device.pi.sh('cat /var/lib/role-agent/outbox/*.json');
    const reports = stdout.split('\n').filter(Boolean);
    return reports.map((text) => {
      const { kind, at } = JSON.parse(text) as Reported;
      return { kind, at };
    });
  }

  async function hasToldAll(): Promise<void> {
    while ((await outbox()).length > 0) await sleep(200);
  }

  it('whose overlord is away for long runs on, and then tells it everything, once and in order', async () => {
    await hasToldAll();
    const told = await timeline();
    await overlord.goesAway('SIGKILL');
    const { web } = await device.running();
    await device.pi.ok('docker rm -f $(docker ps -q --filter label=com.docker.compose.service=clock)');
    await device.looksAgain();
    for (const _ of [1, 2]) {
      await device.pi.powerCut();
      await device.pi.powerOn();
      const { problems } = await device.shows('a healthy stack', ({ health }) => health === 'healthy');
      expect(problems.map(({ code }) => code)).toContain('source-unreachable');
      await device.looksAgain();
    }
    expect((await device.running())['web']).toBe(web);
    const waiting = await outbox();
    expect(waiting.map(({ kind }) => kind)).toEqual(['repaired', 'booted', 'booted']);

    const pushed = await repo.push('While it was away', {
      'roles/hello/site/index.html': '<title>Later</title>',
    });
    await overlord.comesBack();
    await device.wake();
    await device.settlesOn(pushed);
    await hasToldAll();
    const all = await timeline();
    expect(all.slice(0, told.length + waiting.length)).toEqual([...told, ...waiting]);
    const since = all.slice(told.length + waiting.length).map(({ kind }) => kind);
    expect(since).toEqual(['outage', 'staging', 'activated', 'updated']);
  });

  it('whose token is over proves itself again, and nobody notices', async () => {
    const token = (): Promise<string> => device.pi.ok('cat /run/role-agent/token');
    const before = await token();
    await sleep(TOKEN_LIFE * 1_000);
    await device.looksAgain();
    const { problems, sources } = await device.isUpToDate();
    expect({ problems, answered: sources.map(({ answered }) => answered) }).toEqual({
      problems: [],
      answered: [true],
    });
    expect(await token()).not.toBe(before);
  });

  it('that is revoked keeps what it runs, says why, and asks no more often than before', async () => {
    const before = await device.running();
    await overlord.ask(`devices/${id}/revoke`, { reason: 'It was sold' });
    await device.looksAgain();
    const status = await device.shows('that it was refused', ({ problems }) => problems.length > 0);
    expect(status).toMatchObject({ health: 'healthy', pending: null });
    expect(status.problems).toMatchObject([
      { code: 'source-denied', what: expect.stringContaining('revoked'), remedy: expect.any(String) },
    ]);
    expect(await device.running()).toEqual(before);
    expect(await device.pi.ok('journalctl -u role-agent -n 1 -o cat')).toContain('has been revoked');
    const due = 'echo $(($(cat /run/role-agent/next-due) - $(cut -d. -f1 /proc/uptime)))';
    expect(Number(await device.pi.ok(due))).toBeGreaterThan((status.interval ?? Infinity) - 30);
    const { rules } = await overlord.ask<{ rules: { text: string }[] }>(`devices/${id}/explain`);
    expect(rules.at(-1)?.text).toContain('revoked');
  });

  it('that is taken back, by a new identity, goes on with what it runs', async () => {
    const before = await device.running();
    await device.pi.ok('rm -r /var/lib/role-agent/identity');
    await overlord.enrols(device, 'hello');
    await device.shows('that it belongs to the fleet', ({ problems }) => problems.length === 0);
    const { items } = await overlord.ask<{ items: { id: string; state: string }[] }>('devices');
    expect(items).toMatchObject([{ state: 'healthy' }]);
    expect(items[0]?.id).not.toBe(id);
    expect(await device.running()).toEqual(before);
  });
});
