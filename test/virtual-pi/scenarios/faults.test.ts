import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxImage } from '../images.ts';
import { Registry } from '../registry.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import type { FleetRepo } from '../fleet-repo.ts';
import { newPi, newRepo } from './stage.ts';

const PAGE = 'roles/hello/site/index.html';

/** Kills the engine in the moment in which it opens the port of a new container, which does not run yet. */
const ENGINE_DIES = `former=$(pgrep -x docker-proxy)
until now=$(pgrep -x docker-proxy) && [ "$now" != "$former" ]; do :; done
sleep 0.05
pkill -9 -x dockerd`;

describe('a Pi on a bad day', () => {
  let device: Device;
  let repo: FleetRepo;
  let now: string;
  beforeAll(async () => {
    [device, repo] = await Promise.all([newPi('trixie', 'faults'), newRepo()]);
    await device.follows(repo.url, 'hello');
    now = await repo.push('First', templateRole());
    await device.wake();
    await device.settlesOn(now);
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
  });

  it('whose Git server is gone runs on unchanged, says so, and catches up when it is back', async () => {
    const before = await device.running();
    await repo.stopServing();
    await device.looksAgain();
    const status = await device.shows('the silence of the source', ({ sources }) =>
      sources.some(({ answered }) => !answered),
    );
    expect(status.running?.commit).toBe(now);
    expect(status.problems[0]).toMatchObject({ code: 'source-unreachable' });
    expect(await device.running()).toEqual(before);
    await repo.startServing();
    now = await repo.push('After the silence', { [PAGE]: '<title>back</title>' });
    await device.wake();
    await device.settlesOn(now);
  });

  it('whose network was removed by hand, while its stack was stopped, heals itself', async () => {
    await device.pi.ok('docker stop $(docker ps -q) && docker network rm hello_default');
    await device.looksAgain();
    await device.shows('the repair', ({ health }) => health === 'healthy');
    expect(await device.page('/site/')).toContain('<title>');
    expect(Object.keys(await device.running()).sort()).toEqual(['clock', 'web']);
  });

  it('that loses power at any moment of an update converges after it', async () => {
    for (const moment of [200, 900, 1_600, 2_600]) {
      now = await repo.push(`Power cut after ${moment} ms`, { [PAGE]: `<title>cut ${moment}</title>` });
      await device.wake();
      await sleep(moment);
      await device.pi.powerCut();
      await device.pi.powerOn();
      await device.settlesOn(now);
      expect(await device.page('/site/')).toBe(`<title>cut ${moment}</title>`);
    }
  });

  it('whose engine dies while a container starts, and keeps its port for nobody, gets the port back', async () => {
    // The moment is hit nearly always, not always.
    for (let attempt = 1, stuck = ''; !stuck.includes('docker-stuck'); attempt += 1) {
      expect(attempt).toBeLessThan(6);
      now = await repo.push(`Death ${attempt}`, { [PAGE]: `<title>death ${attempt}</title>` });
      const dies = device.pi.ok(ENGINE_DIES);
      await device.wake();
      await dies;
      await device.pi.ok('systemctl reset-failed docker; until docker info; do sleep 0.2; done');
      await device.wake();
      await device.settlesOn(now);
      expect(await device.page('/site/')).toBe(`<title>death ${attempt}</title>`);
      stuck = await device.pi.ok('journalctl -u role-agent -b -o cat');
    }
  });

  it('that boots with the network away runs everything', async () => {
    await device.pi.cutNetwork();
    await device.pi.reboot();
    const status = await device.shows(
      'a healthy stack',
      ({ health, running }) => health === 'healthy' && running?.commit === now,
    );
    expect(status.sources.every(({ answered }) => !answered)).toBe(true);
    expect(Object.keys(await device.running()).sort()).toEqual(['clock', 'web']);
    await device.pi.restoreNetwork();
  });

  it('whose containers are stopped or removed by hand heals itself', async () => {
    await device.pi.ok('docker rm -f $(docker ps -q --filter label=com.docker.compose.service=clock)');
    await device.shows('the repair', ({ health }) => health === 'healthy');
    await device.looksAgain();
    expect(Object.keys(await device.running()).sort()).toEqual(['clock', 'web']);
  });

  it('whose release was deleted by hand fetches it again and restarts nothing', async () => {
    const before = await device.running();
    await device.pi.ok('rm -rf /opt/metrica/releases/*');
    await device.looksAgain();
    await device.isUpToDate();
    expect(await device.pi.ok('test -e /opt/app_current/compose.yaml && echo there')).toBe('there\n');
    expect(await device.running()).toEqual(before);
  });

  it('that changes its role stops the old stack, keeps its state, and comes back to it', async () => {
    const clock = await device.page('/data/prepared.txt');
    const other = await repo.push('Another role', {
      ...templateRole('second'),
      'devices/pi.yaml': 'role: second\n',
    });
    await device.wake();
    await device.settlesOn(other);
    expect(
      await device.pi.ok(`docker ps -a --format '{{.Label "com.docker.compose.project"}}' | sort -u`),
    ).toBe('second\n');
    now = await repo.push('Back to the first role', { 'devices/pi.yaml': 'role: hello\n' });
    await device.wake();
    await device.settlesOn(now);
    expect(
      await device.pi.ok(`docker ps -a --format '{{.Label "com.docker.compose.project"}}' | sort -u`),
    ).toBe('hello\n');
    expect(await device.page('/data/prepared.txt')).toContain(clock.split('\n')[0]);
  });

  it('whose pull is slow and is cut keeps the old stack up, and ends well', async () => {
    const registry = await Registry.start(200_000);
    try {
      await busyboxImage('busybox:1.37.0');
      const image = await registry.push('busybox:1.37.0', 'busybox:slow');
      const before = await device.running();
      const compose = templateRole()['roles/hello/compose.yaml'] ?? '';
      now = await repo.push('A new image', {
        'roles/hello/compose.yaml': compose.replace(/(  clock:\n {4}image: )busybox:1\.36\.1/, `$1${image}`),
      });
      await device.wake();
      await device.shows('the pull', ({ state }) => state === 'staging');
      await registry.cut();
      expect(await device.running()).toEqual(before);
      await registry.restore();
      const status = await device.settlesOn(now);
      expect(status.problems).toEqual([]);
      expect((await device.running())['web']).toBe(before['web']);
    } finally {
      await registry.close();
    }
  });
});
