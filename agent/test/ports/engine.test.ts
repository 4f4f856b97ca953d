import { blameOf, FleetError, type Problem } from '@metrica-fleet/protocol';
import { describe, expect, it } from 'vitest';
import type { Exec } from '../../src/ports/exec.ts';
import { dockerEngine } from '../../src/ports/real/engine.ts';

const MODEL = { name: 'web', services: { web: { image: 'web:1' } } };

/** What `up` throws when `docker` ends like this, and `docker ps` prints `running`. */
async function problemOfUp(code: number, stderr: string, running = ''): Promise<Problem> {
  const exec: Exec = {
    run: ({ argv }) => {
      const asked = argv[1] === 'ps';
      const stdout = Buffer.from(asked ? running : '');
      return Promise.resolve({ code: asked ? 0 : code, stdout, stderr: asked ? '' : stderr });
    },
  };
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

  it('is the engine’s fault when it keeps a port that no container has, and the release’s when one has it', async () => {
    const stderr = 'Bind for 0.0.0.0:8080 failed: port is already allocated\n';
    expect(await problemOfUp(1, stderr)).toMatchObject({ code: 'docker-stuck' });
    expect(await problemOfUp(1, stderr, 'e91cd2f5b5a0\n')).toMatchObject({ code: 'start-failed' });
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
