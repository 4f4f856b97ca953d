import { describe, expect, it } from 'vitest';
import { ago, duration } from '../src/ui/time.tsx';

describe('how long ago', () => {
  it.each([
    [2, 'now'],
    [42, '42 s ago'],
    [60, '1 min ago'],
    [3_599, '59 min ago'],
    [7_200, '2 h ago'],
  ])('%i seconds', (seconds, text) => {
    expect(ago(1_000_000_000_000 - seconds * 1000, 1_000_000_000_000)).toBe(text);
  });

  it('a clock ahead of ours says now, not minus', () => {
    expect(ago(2_000, 1_000)).toBe('now');
  });
});

describe('a length of time', () => {
  it.each([
    [-5, '0 s'],
    [45, '45 s'],
    [90, '1 min 30 s'],
    [600, '10 min'],
    [5_400, '1 h 30 min'],
    [7_200, '2 h'],
    [259_200, '3 d'],
  ])('%i seconds', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});
