import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from './device.ts';
import { inputsRole } from './roles.ts';
import type { Files, FleetRepo } from '../fleet-repo.ts';
import { newPi, newRepo, loadImages } from './stage.ts';

/** Each kind of input, the change that is pushed, and the services that may restart for it. */
const CHANGES: [string, () => Files, string[]][] = [
  ['a mounted file', () => ({ 'roles/inputs/page/index.html': 'two\n' }), ['mounted']],
  ['a config', () => ({ 'roles/inputs/settings.ini': 'a=2\n' }), ['configured']],
  ['a secret file', () => ({ 'roles/inputs/token.txt': 'second\n' }), ['secretive']],
  ['a variable of the site', () => ({ 'sites/lab.yaml': 'vars: {LEVEL: 2}\n' }), ['variable']],
  ['a variable of the device', () => ({ 'devices/pi.yaml': 'vars: {LEVEL: 3}\n' }), ['variable']],
  ['a file that nobody mounts', () => ({ 'roles/inputs/README.md': 'words\n' }), []],
  [
    'an image',
    () => ({
      'roles/inputs/compose.yaml':
        inputsRole()['roles/inputs/compose.yaml']?.replace(
          'imaged:\n    image: busybox:1.36.1',
          'imaged:\n    image: busybox:1.37.0',
        ) ?? null,
    }),
    ['imaged'],
  ],
];

describe('what restarts', () => {
  let device: Device;
  let repo: FleetRepo;
  beforeAll(async () => {
    [device, repo] = await Promise.all([newPi('trixie', 'restarts'), newRepo()]);
    await loadImages(device, ['busybox:1.37.0']);
    await device.follows(repo.url, 'inputs', 'site: lab\n');
    const first = await repo.push('First', { ...inputsRole(), 'sites/lab.yaml': 'description: The lab\n' });
    await device.wake();
    await device.settlesOn(first);
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
  });

  for (const [what, change, users] of CHANGES) {
    it(`for ${what}: ${users.length === 0 ? 'nobody' : users.join(', ')}`, async () => {
      const before = await device.running();
      const ranOnce = await device.pi.ok(
        `docker ps -a --no-trunc --filter label=com.docker.compose.service=once --format '{{.ID}}'`,
      );
      const commit = await repo.push(`Change ${what}`, change());
      await device.looksAgain();
      // A variable is no new commit of the role: the release stays, the deployment changes.
      if (what.startsWith('a variable')) await device.isUpToDate();
      else await device.settlesOn(commit);
      const after = await device.running();
      const restarted = Object.keys(after).filter((service) => after[service] !== before[service]);
      expect(restarted).toEqual(users);
      expect(
        await device.pi.ok(
          `docker ps -a --no-trunc --filter label=com.docker.compose.service=once --format '{{.ID}}'`,
        ),
      ).toBe(ranOnce);
    });
  }
});
