import { describe, expect, it } from 'vitest';
import {
  countsLine,
  died,
  leftOut,
  succeeded,
  summary,
  total,
  type Outcome,
} from '../src/testing/outcome.ts';

const good: Outcome = ran({ passed: 3, failed: 0, skipped: 0 });
const skipping: Outcome = { ...ran({ passed: 3, failed: 0, skipped: 1 }), skips: ['flies (no wings here)'] };

function ran(counts: Outcome['counts']): Outcome {
  return { part: 'unit', counts, took: 1_500, leftOut: null, failures: [], skips: [] };
}

describe('the last line', () => {
  it('is what CI reads', () => {
    expect(countsLine({ passed: 12, failed: 0, skipped: 3 })).toBe('12 passed, 0 failed, 3 skipped');
  });

  it('is the last line of the summary, whatever came before', () => {
    const lines = summary([skipping, died('virtual-pi', 'exploded', 10)], true).split('\n');
    expect(lines.slice(-2)).toEqual(['3 passed, 1 failed, 1 skipped', '']);
  });

  it('adds up the parts', () => {
    expect(total([good, skipping, died('x', 'y', 1)])).toEqual({ passed: 6, failed: 1, skipped: 1 });
  });
});

describe('a part that is left out', () => {
  it('counts as skipped on a desk, and the reason is said', () => {
    const outcomes = [good, leftOut('virtual-pi', 'it needs root', false)];
    expect(succeeded(outcomes, false)).toBe(true);
    expect(summary(outcomes, false)).toMatch(/^virtual-pi {2}left out: it needs root$/m);
    expect(countsLine(total(outcomes))).toBe('3 passed, 0 failed, 1 skipped');
  });

  it('is a failure where everything is meant to run', () => {
    const outcomes = [good, leftOut('virtual-pi', 'it needs root', true)];
    expect(succeeded(outcomes, true)).toBe(false);
    expect(total(outcomes)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });
});

describe('a run', () => {
  it('with a skipped test is good on a desk and bad in CI, and names it', () => {
    expect(succeeded([skipping], false)).toBe(true);
    expect(succeeded([skipping], true)).toBe(false);
    expect(summary([skipping], true)).toMatch(/skipped {2}flies \(no wings here\)/);
    expect(summary([skipping], true)).toContain('Under CI=true a skipped test is a failure.');
  });

  it('that ran nothing is bad', () => {
    expect(succeeded([], false)).toBe(false);
    expect(succeeded([leftOut('virtual-pi', 'it needs root', false)], false)).toBe(false);
  });
});
