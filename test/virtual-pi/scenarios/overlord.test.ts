import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import { ControlPlane } from './control-plane.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { newPi, newRepo } from './stage.ts';

describe('a Pi that joins a fleet', () => {
  let device: Device;
  let repo: FleetRepo;
  let overlord: ControlPlane;
  let first: string;
  beforeAll(async () => {
    repo = await newRepo();
    first = await repo.push('The first release', {
      ...templateRole(),
      'fleet.yaml': 'rollout:\n  stages:\n    - {segment: canary, soak: 1s}\n    - {segment: general}\n',
    });
    [device, overlord] = await Promise.all([newPi('trixie', 'joins'), ControlPlane.start(repo.url)]);
  });
  afterAll(async () => {
    await overlord.stop();
    await device.pi.destroy();
    await repo.close();
  });

  it('is enrolled by the printed line, and runs the release of its role', async () => {
    await overlord.enrols(device, 'hello');
    await device.settlesOn(first);
    expect(await device.page('/site/')).toContain('Hello from the fleet');
    const { items } = await overlord.ask<{ items: { state: string; running: string }[] }>('devices');
    expect(items).toMatchObject([{ state: 'healthy', running: first }]);
  });

  it('takes a pushed release, and its rollout is done', async () => {
    const second = await repo.push('A new page', { 'roles/hello/site/index.html': '<title>Second</title>' });
    await overlord.rolloutIs('running');
    await device.wake();
    await device.settlesOn(second);
    expect(await overlord.rolloutIs('done')).toMatchObject({ commit: second });
  });

  it('goes back from a bad release, whose rollout halts with the reason', async () => {
    const { running } = (await device.status()) ?? {};
    const compose = templateRole()['roles/hello/compose.yaml'] ?? '';
    const bad = await repo.push('A bad release', {
      'roles/hello/compose.yaml': compose.replace('httpd -f -p 8080', 'httpd -f -p 8081'),
    });
    await overlord.rolloutIs('running');
    await device.wake();
    const { reason } = await overlord.rolloutIs('halted');
    expect(reason).not.toBeNull();
    await device.wake();
    await device.settlesOn(running?.commit ?? '');
    expect(bad).not.toBe(running?.commit);
  });
});
