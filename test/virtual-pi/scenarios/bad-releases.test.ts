import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Registry } from '../registry.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import type { Files, FleetRepo } from '../fleet-repo.ts';
import { newPi, newRepo } from './stage.ts';

const GOOD = templateRole();
const COMPOSE = 'roles/hello/compose.yaml';
const ROLE = 'roles/hello/role.yaml';
const ESCAPE = 'roles/hello/site/passwd';
/** Stands in the files until the address of the registry is known. */
const REGISTRY = 'registry.example:5000';

function changed(file: string, from: string, to: string): Files {
  const text = GOOD[file] ?? '';
  if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
  return { [file]: text.replace(from, to) };
}

/** Each way in which a release can be bad, and what the device must say about it. */
const BAD: { how: string; files: () => Files; code: string; says: RegExp }[] = [
  {
    how: 'whose healthcheck fails',
    files: () => changed(COMPOSE, `'http://127.0.0.1:8080/site/'`, `'http://127.0.0.1:8080/nowhere'`),
    code: 'health-failed',
    says: /web/,
  },
  {
    how: 'whose service crashes in a loop',
    files: () =>
      changed(
        COMPOSE,
        'while :; do date > /data/clock.txt; sleep 5 & wait; done',
        'echo no clock today; exit 1',
      ),
    code: 'health-failed',
    says: /clock/,
  },
  {
    how: 'whose one-shot fails',
    files: () => changed(COMPOSE, 'date >> /data/prepared.txt', 'exit 7'),
    code: 'health-failed|start-failed',
    says: /prepare/,
  },
  {
    how: 'whose probe finds nobody',
    files: () => changed(ROLE, 'http://127.0.0.1:8080/site/', 'http://127.0.0.1:8081/'),
    code: 'health-failed',
    says: /8081/,
  },
  {
    how: 'whose image does not exist',
    files: () => changed(COMPOSE, 'image: busybox:1.36.1', `image: ${REGISTRY}/nobody/nothing:1`),
    code: 'image-not-found',
    says: /nobody\/nothing:1/,
  },
  {
    how: 'whose compose file does not parse',
    files: () => ({ [COMPOSE]: 'services:\n  web:\n   image: [unclosed\n' }),
    code: 'compose-invalid',
    says: /compose\.yaml:\d+/,
  },
  {
    how: 'that validate.sh refuses',
    files: () => ({ 'roles/hello/site/index.html': '<h1>No title</h1>\n' }),
    code: 'validate-refused',
    says: /site\/index\.html has no title/,
  },
  {
    how: 'that builds its image',
    files: () =>
      changed(COMPOSE, '    restart: unless-stopped\n', '    build: .\n    restart: unless-stopped\n'),
    code: 'compose-invalid',
    says: /compose\.yaml:\d+.*build|build.*compose\.yaml:\d+/s,
  },
  {
    how: 'with a writable mount that is not declared',
    files: () => changed(COMPOSE, '- ./site:/www/site:ro', '- ./site:/www/site'),
    code: 'compose-invalid',
    says: /state:/,
  },
  {
    how: 'with a symlink that leaves the role',
    files: () => ({ [ESCAPE]: { link: '/etc/passwd' } }),
    code: 'path-escapes',
    says: /\/etc\/passwd/,
  },
];

describe('a release that is bad', () => {
  let device: Device;
  let repo: FleetRepo;
  let good: string;
  let registry: Registry;
  beforeAll(async () => {
    [device, repo, registry] = await Promise.all([
      newPi('trixie', 'bad'),
      newRepo(),
      Registry.start(10_000_000),
    ]);
    await device.follows(repo.url, 'hello');
    good = await repo.push('Good', GOOD);
    await device.wake();
    await device.settlesOn(good);
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
    await registry.close();
  });

  function atRegistry(files: Files): Files {
    const entries = Object.entries(files);
    const placed = entries.map(([path, text]) => [
      path,
      typeof text === 'string' ? text.replace(REGISTRY, registry.address) : text,
    ]);
    return Object.fromEntries(placed) as Files;
  }

  for (const { how, files, code, says } of BAD) {
    it(`${how} leaves the former one running and healthy, with the reason, and is not tried again`, async () => {
      const before = await device.running();
      const bad = await repo.push(`Bad: ${how}`, { ...GOOD, [ESCAPE]: null, ...atRegistry(files()) });
      await device.wake();
      const status = await device.refuses(bad);
      expect(status.running?.commit).toBe(good);
      expect(status.problems[0]?.code).toMatch(new RegExp(`^(${code})$`));
      expect(JSON.stringify(status.problems[0])).toMatch(says);
      expect(await device.page('/site/')).toContain('Hello from the fleet');
      expect(Object.keys(await device.running()).sort()).toEqual(Object.keys(before).sort());
      await device.looksAgain();
      expect(await device.attempts(bad)).toBe(1);
    });
  }

  it('that turns bad after its first good minute is taken back within its probation', async () => {
    const turning = {
      ...GOOD,
      [ESCAPE]: null,
      ...changed(
        COMPOSE,
        'while :; do date > /data/clock.txt; sleep 5 & wait; done',
        'date > /data/clock.txt; sleep 20; exit 1',
      ),
      ...changed(ROLE, 'stable_for: 2s', 'stable_for: 60s'),
    };
    const bad = await repo.push('Turns bad', turning);
    await device.wake();
    const status = await device.refuses(bad);
    expect(status.problems[0]).toMatchObject({ code: 'health-failed' });
    expect(status.running?.commit).toBe(good);
  });

  it('is followed by a good one, which is taken as if nothing had been', async () => {
    const next = await repo.push('Good again', GOOD);
    await device.wake();
    const status = await device.settlesOn(next);
    expect(status.problems).toEqual([]);
  });
});
