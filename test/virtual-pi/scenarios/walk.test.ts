import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import type { FleetRepo } from '../fleet-repo.ts';
import { newPi, newRepo } from './stage.ts';

for (const suite of ['trixie', 'bookworm'] as const) {
  describe(`a Pi on ${suite} that follows a Git repo`, () => {
    let device: Device;
    let repo: FleetRepo;
    let first: string;
    beforeAll(async () => {
      [device, repo] = await Promise.all([newPi(suite, `walk-${suite}`), newRepo()]);
    });
    afterAll(async () => {
      await device.pi.destroy();
      await repo.close();
    });

    it('converges on the first release, which answers', async () => {
      first = await repo.push('The first release', {
        ...templateRole(),
        'sites/lab.yaml': 'vars: {GREETING: Servus}\n',
      });
      await device.follows(repo.url, 'hello', 'site: lab\n');
      await device.wake();
      await device.settlesOn(first);
      expect(await device.page('/site/')).toContain('Hello from the fleet');
      expect(await device.page('/data/greeting.txt')).toBe('Servus, prepared');
    });

    it('restarts only the service whose page changed; the one-shot does not run again; state survives', async () => {
      const before = await device.running();
      const prepared = await device.page('/data/prepared.txt');
      const second = await repo.push('A new page', {
        'roles/hello/site/index.html': '<title>Second</title>',
      });
      await device.wake();
      await device.settlesOn(second);
      expect(await device.page('/site/')).toBe('<title>Second</title>');
      const after = await device.running();
      expect(after['clock']).toBe(before['clock']);
      expect(after['web']).not.toBe(before['web']);
      expect(await device.page('/data/prepared.txt')).toBe(prepared);
    });

    it('keeps the former release as the way back, and names both by symlinks', async () => {
      const links = await device.pi.ok('readlink /opt/app_current /opt/app_prev');
      const [current, previous] = links.trim().split('\n');
      expect(current).toMatch(/^\/opt\/metrica\/releases\/[0-9a-f]{64}$/);
      expect(previous).toMatch(/^\/opt\/metrica\/releases\/[0-9a-f]{64}$/);
      expect(current).not.toBe(previous);
    });

    it('says what it does: status, plan, history, logs', async () => {
      expect(await device.pi.ok('role-agent status')).toMatch(/health +healthy/);
      // The run in which it settled may not have ended yet.
      await device.pi.ok('flock -w 60 /run/role-agent/lock true');
      expect(await device.pi.ok('role-agent plan')).toContain('there is nothing to do');
      const next = await repo.push('A third page', { 'roles/hello/site/index.html': '<title>Third</title>' });
      const plan = JSON.parse(await device.pi.ok('role-agent plan --json')) as Record<string, unknown>;
      expect(plan).toMatchObject({ verdict: 'news', restarts: ['web'], removes: [], pulls: [] });
      expect(await device.pi.ok('role-agent history')).toMatch(/updated +hello@/);
      await device.wake();
      await device.settlesOn(next);
      const logs = (await device.pi.ok('role-agent logs --json')).trim().split('\n');
      const messages = logs
        .filter((line) => line.startsWith('{'))
        .map((line) => (JSON.parse(line) as { message: string }).message);
      expect(messages).toEqual(expect.arrayContaining(['update-started', 'staged', 'activated', 'updated']));
    });

    it('does nothing when a commit does not touch its role', async () => {
      const before = await device.running();
      const running = (await device.status())?.running;
      await repo.push('Another role', { 'roles/other/role.yaml': 'name: other\n' });
      await device.looksAgain();
      const status = await device.status();
      expect(status?.running).toEqual(running);
      expect(status).toMatchObject({ health: 'healthy', pending: null });
      expect(await device.running()).toEqual(before);
    });
  });
}

describe('a Pi that nobody wakes', () => {
  it('takes a push within its interval', async () => {
    const [device, repo] = await Promise.all([newPi('trixie', 'interval'), newRepo()]);
    try {
      const role = templateRole();
      const slow = {
        ...role,
        'roles/hello/role.yaml':
          role['roles/hello/role.yaml']?.replace('update_interval: 5m', 'update_interval: 30s') ?? null,
      };
      await device.follows(repo.url, 'hello');
      await device.settlesOn(await repo.push('First', slow));
      await device.settlesOn(
        await repo.push('Second', { 'roles/hello/site/index.html': '<title>2</title>' }),
      );
    } finally {
      await device.pi.destroy();
      await repo.close();
    }
  });
});
