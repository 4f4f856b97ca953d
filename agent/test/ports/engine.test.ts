import { blameOf, FleetError, type Problem } from '@metrica-fleet/protocol';
import { describe, expect, it } from 'vitest';
import type { Exec } from '../../src/ports/exec.ts';
import { dockerEngine } from '../../src/ports/real/engine.ts';

const MODEL = { name: 'web', services: { web: { image: 'web:1' } } };

/** What `up` throws when `docker` ends like this. */
async function problemOfUp(code: number, stderr: string): Promise<Problem> {
  const exec: Exec = { run: () => Promise.resolve({ code, stdout: Buffer.alloc(0), stderr }) };
  try {
    await dockerEngine(exec).up({ label: 'test.up', model: MODEL, services: ['web'] });
  } catch (thrown) {
    if (thrown instanceof FleetError) return thrown.problem;
  }
  throw new Error('up did not fail');
}

describe('a stack that does not start', () => {
  it('is the release’s fault when Compose says so', async () => {
    const problem = await problemOfUp(
      1,
      'Error response from daemon: invalid mount config for type "bind"\n',
    );
    expect(problem).toMatchObject({ code: 'start-failed', where: 'service web' });
    expect(problem.what).toContain('invalid mount config');
  });

  const innocent = [
    ['Compose was killed, as for memory', 255, '', 'command-failed'],
    ['Docker’s command line was killed', 137, '', 'command-failed'],
    [
      'the disk is full',
      1,
      'Error response from daemon: mkdir /var/lib/docker/overlay2/x: no space left on device\n',
      'no-space',
    ],
    ['the engine is gone', 1, 'Cannot connect to the Docker daemon at unix:///x\n', 'docker-unreachable'],
  ] as const;
  for (const [why, code, stderr, expected] of innocent) {
    it(`is not the release’s fault when ${why} (A6)`, async () => {
      const problem = await problemOfUp(code, stderr);
      expect(problem.code).toBe(expected);
      expect(blameOf(problem)).toBe('environment');
    });
  }
});
