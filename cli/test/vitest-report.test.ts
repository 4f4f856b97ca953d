import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../src/testing/vitest-report.ts';

interface Test {
  readonly fullName: string;
  readonly status: string;
  readonly meta?: { readonly reason?: string };
}

/** What vitest writes for one file with these tests. */
function report(tests: readonly Test[], { status = 'passed', message = '' } = {}): string {
  return JSON.stringify({
    success: true,
    testResults: [{ name: 'a.test.ts', status, message, assertionResults: tests }],
  });
}

const one: Test = { fullName: 'a b', status: 'passed' };

function outcome(text: string | null, trouble: string | null = null) {
  return outcomeOf({ part: 'unit', report: text, trouble, took: 1 });
}

describe('the report of vitest', () => {
  it('is counted test by test', () => {
    const { counts, failures, skips } = outcome(
      report([
        one,
        { fullName: 'a c', status: 'failed' },
        { fullName: 'a d', status: 'skipped', meta: { reason: 'no kernel here' } },
        { fullName: 'a e', status: 'todo' },
      ]),
    );
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 2 });
    expect(failures).toEqual(['a c']);
    expect(skips).toEqual(['a d (no kernel here)', 'a e (no reason given)']);
  });

  it('counts a file that could not be loaded', () => {
    const { counts, failures } = outcome(report([], { status: 'failed', message: 'Cannot find x\n at y' }));
    expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(failures).toEqual(['a.test.ts: Cannot find x']);
  });

  it('is not believed when the process ended badly with every test passed', () => {
    expect(outcome(report([one]), 'ended with exit code 1').counts).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });

  it('is a failure when no test ran', () => {
    expect(outcome(report([])).failures).toEqual(['no test ran']);
    expect(outcome(report([{ fullName: 'a', status: 'skipped' }])).counts).toEqual({
      passed: 0,
      failed: 1,
      skipped: 1,
    });
  });

  it('that was never written is one failure', () => {
    expect(outcome(null, 'not done within 300 s')).toMatchObject({
      counts: { passed: 0, failed: 1, skipped: 0 },
      failures: ['not done within 300 s'],
    });
  });
});
