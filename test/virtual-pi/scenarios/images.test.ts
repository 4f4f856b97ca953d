import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import { busyboxImage } from '../images.ts';
import { Registry } from '../registry.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { loadImages, newPi, newRepo } from './stage.ts';

/** Bytes a second: nobody waits for this line. */
const FAST = 200_000_000;
const COMPOSE = 'roles/hello/compose.yaml';
/** A card of this size for Docker, with room to spare above the watermark of 256 MiB. MiB. */
const CARD = 360;

describe('a Pi whose releases bring images', () => {
  let device: Device;
  let repo: FleetRepo;
  let registry: Registry;
  let now: string;
  beforeAll(async () => {
    [device, repo, registry] = await Promise.all([
      newPi('trixie', 'images'),
      newRepo(),
      Registry.start(FAST),
    ]);
    await device.pi.ok(`systemctl stop docker.socket docker.service
      mount -t tmpfs -o size=${CARD}m tmpfs /var/lib/docker
      systemctl start docker.service`);
    await loadImages(device, ['busybox:1.36.1']);
    await device.follows(repo.url, 'hello');
    await repo.push('A role', templateRole());
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
    await registry.close();
  });

  /** A release whose service `clock` has an image of its own, `clock:<version>`; `edit` spoils it further. */
  async function release(
    version: number,
    edit: (compose: string) => string = (text) => text,
  ): Promise<string> {
    await busyboxImage(`busybox:clock-${version}`);
    const image = await registry.push(`busybox:clock-${version}`, `clock:${version}`);
    const compose = templateRole()[COMPOSE] ?? '';
    const changed = compose.replace(/(  clock:\n {4}image: )busybox:1\.36\.1/, `$1${image}`);
    return await repo.push(`Clock ${version}`, { [COMPOSE]: edit(changed) });
  }

  async function settles(version: number): Promise<void> {
    now = await release(version);
    await device.wake();
    await device.settlesOn(now);
  }

  /** Names of the images without that of the registry. */
  async function images(): Promise<string[]> {
    const names = await device.pi.ok(`docker image ls --format '{{.Repository}}:{{.Tag}}'`);
    return names.trim().replaceAll(`${registry.address}/`, '').split('\n').sort();
  }

  it('keeps the image of the way back, and removes it once nothing goes back there; a person’s image stays', async () => {
    await device.pi.ok('echo mine > /tmp/mine; tar -C /tmp -c mine | docker import - mine:1');
    await settles(1);
    await settles(2);
    expect(await images()).toEqual(['busybox:1.36.1', 'clock:1', 'clock:2', 'mine:1']);
    await settles(3);
    expect(await images()).toEqual(['busybox:1.36.1', 'clock:2', 'clock:3', 'mine:1']);
    expect((await device.history()).filter(({ event }) => event === 'collected')).toMatchObject([
      { detail: expect.stringContaining('clock:1') as string },
    ]);
  });

  it('goes back without a network, and what failed takes its image along', async () => {
    const bad = await release(4, (compose) =>
      compose.replace("'-s', '/data/clock.txt'", "'-s', '/data/nothing'"),
    );
    await device.wake();
    await device.shows('the gate', ({ state }) => state === 'probation');
    await device.pi.cutNetwork();
    await device.refuses(bad);
    const status = await device.shows('what ran before', ({ health }) => health === 'healthy');
    expect(status.running?.commit).toBe(now);
    expect(await images()).toEqual(['busybox:1.36.1', 'clock:2', 'clock:3', 'mine:1']);
    await device.pi.restoreNetwork();
  });

  it('on a disk that is nearly full removes what no container has, and says so, but not the way back', async () => {
    await device.pi
      .ok(`head -c 60M /dev/urandom > /tmp/large; tar -C /tmp -c large | docker import - large:1; rm /tmp/large
      free=$(df --output=avail -B1M /var/lib/docker | tail -1)
      fallocate -l $((free - 230))M /var/lib/docker/filler`);
    await device.looksAgain();
    const left = await images();
    expect(left).toEqual(expect.arrayContaining(['busybox:1.36.1', 'clock:2', 'clock:3']));
    expect(left).not.toContain('large:1');
    expect((await device.history()).at(-1)).toMatchObject({
      event: 'collected',
      detail: expect.stringContaining('large:1') as string,
    });
    expect((await device.status())?.problems).not.toContainEqual(
      expect.objectContaining({ code: 'no-space' }),
    );
  });

  it('has no room for an image: says how much is needed, keeps what runs, and takes it when there is room', async () => {
    await device.pi.ok(`free=$(df --output=avail -B1M /var/lib/docker | tail -1)
      fallocate -l $((free - 30))M /var/lib/docker/filler2`);
    const next = await release(5);
    await device.wake();
    const status = await device.shows('that there is no room', ({ problems }) =>
      problems.some(({ code }) => code === 'no-space'),
    );
    expect(status.running?.commit).toBe(now);
    expect(status.problems.map(({ what }) => what).join()).toMatch(
      /needs about \d+ MiB free, the disk has \d+ MiB/,
    );
    await device.pi.ok('rm /var/lib/docker/filler*; role-agent run || true');
    await device.settlesOn(next);
  });
});
