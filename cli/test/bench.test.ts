import { describe, expect, it } from 'vitest';
import { figureOf, figuresJson, figuresText } from '../src/bench/figure.ts';

const wall = { name: 'noop_wall_ms', value: 90, unit: 'ms', against: { name: 'ansible-pull', value: 1200 } };

describe('a figure', () => {
  it('stands beside its peer', () => {
    expect(figureOf(wall).ratio).toBe(0.075);
    expect(figuresText([figureOf(wall)])).toBe('noop_wall_ms  90 ms  (ansible-pull: 1200 ms, ratio 0.075)\n');
  });

  it('has no ratio without one', () => {
    expect(figureOf({ ...wall, against: null }).ratio).toBeNull();
  });

  it('is printed as one line of versioned JSON', () => {
    expect(JSON.parse(figuresJson('agent', [figureOf(wall)]))).toEqual({
      schemaVersion: 1,
      bench: 'agent',
      figures: [{ ...wall, ratio: 0.075 }],
    });
  });

  it.each([{ name: 'wallMs' }, { value: Number.NaN }])('with %o is refused', (odd) => {
    expect(() => figureOf({ ...wall, ...odd })).toThrow(RangeError);
  });
});
