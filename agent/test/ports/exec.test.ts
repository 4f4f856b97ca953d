import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { realExec } from '../../src/ports/real/exec.ts';

const exec = realExec();

describe('a real process', () => {
  it('returns its exit code, its output and its complaints', async () => {
    const { code, stdout, stderr } = await exec.run({
      label: 'test.sh',
      argv: ['sh', '-c', 'cat; echo oops >&2; exit 3'],
      input: 'in',
      deadline: 10_000,
    });
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 3, stdout: 'in', stderr: 'oops\n' });
  });

  it('is killed with its grandchildren when its deadline passes', async () => {
    const marker = `metrica-${process.pid}-${Date.now()}`;
    const running = exec.run({
      label: 'test.hang',
      argv: ['sh', '-c', `sh -c 'sleep 300 # ${marker}' & wait`],
      deadline: 300,
    });
    await expect(running).rejects.toMatchObject({ problem: { code: 'deadline-exceeded' } });
    expect(execFileSync('ps', ['-eo', 'args']).toString()).not.toContain(`sleep 300 # ${marker}`);
  });

  it('is killed even when it ignores SIGTERM', async () => {
    const running = exec.run({
      label: 'test.stubborn',
      argv: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
      deadline: 100,
    });
    await expect(running).rejects.toMatchObject({ problem: { code: 'deadline-exceeded' } });
  });

  it('that floods its output is stopped instead of filling the memory', async () => {
    const running = exec.run({ label: 'test.flood', argv: ['yes'], deadline: 20_000, maxOutput: 100_000 });
    await expect(running).rejects.toMatchObject({ problem: { code: 'command-failed' } });
  });

  it('that is not installed is named, with what to do', async () => {
    const running = exec.run({ label: 'test.none', argv: ['no-such-program'], deadline: 1_000 });
    await expect(running).rejects.toMatchObject({
      problem: { what: 'The program no-such-program is not installed' },
    });
  });

  it('sees nothing of our environment but what it is given', async () => {
    process.env['METRICA_TEST_SECRET'] = 'x';
    const { stdout } = await exec.run({
      label: 'test.env',
      argv: ['env'],
      env: { GIVEN: '1' },
      deadline: 5_000,
    });
    expect(stdout.toString()).toContain('GIVEN=1');
    expect(stdout.toString()).not.toContain('METRICA_TEST_SECRET');
  });

  it('that closes its input early does not bring us down', async () => {
    const { code } = await exec.run({
      label: 'test.epipe',
      argv: ['true'],
      input: 'x'.repeat(1_000_000),
      deadline: 5_000,
    });
    expect(code).toBe(0);
  });
});
