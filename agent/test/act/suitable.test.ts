import type { Role } from '@metrica-fleet/protocol';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { requireSuitable } from '../../src/act/suitable.ts';
import { bench, type Bench } from '../sources/bench.ts';

let on: Bench;
const ask = (requires: Role['requires']): Promise<void> =>
  requireSuitable(on.context as unknown as Context, {
    name: 'web',
    ...(requires === undefined ? {} : { requires }),
  });

beforeEach(async () => {
  on = bench();
  await on.context.ports.disk.makeFolder('test.releases', on.context.paths.releases);
});
afterEach(() => on.clear());

describe('the hardware that a role requires', () => {
  it('is anything where it says nothing', async () => {
    await expect(ask(undefined)).resolves.toBeUndefined();
  });

  it('is here', async () => {
    const arch = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim() as 'amd64';
    await expect(
      ask({ arch: [arch], memory: '100Mi', disk: '1G', devices: ['/dev/null'] }),
    ).resolves.toBeUndefined();
  });

  it('is named all at once where it is not here', async () => {
    const refused = ask({
      arch: [],
      models: ['Raspberry Pi 9'],
      memory: '9000Gi',
      disk: '9000000G',
      devices: ['/dev/null', '/dev/video99'],
    });
    await expect(refused).rejects.toMatchObject({ problem: { code: 'role-unsuitable' } });
    await expect(refused).rejects.toThrow(
      /architecture.*Raspberry Pi 9.*9000Gi of memory.*9000000G.*\/dev\/video99/,
    );
    await expect(refused).rejects.not.toThrow(/dev\/null/);
  });
});
