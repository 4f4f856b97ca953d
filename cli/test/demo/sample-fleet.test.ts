import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, intervalOf } from '../../src/demo/sample-fleet.ts';

const total = (devices: number): number => groupsOf(devices).reduce((sum, group) => sum + group.devices, 0);

describe('the sample fleet', () => {
  it('has as many devices as were asked for, and nobody is invited in vain', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), (devices) => {
        expect(total(devices)).toBe(devices);
        expect(groupsOf(devices).every((group) => group.devices > 0)).toBe(true);
      }),
    );
  });

  it('has a canary of each role that has devices, so that no stage goes out on no evidence', () => {
    for (const devices of [1, 3, 8, 24, 500]) {
      const groups = groupsOf(devices);
      const canaries = new Set(groups.filter(({ segment }) => segment === 'canary').map(({ role }) => role));
      expect(canaries).toEqual(new Set(groups.map(({ role }) => role)));
    }
  });

  it('shows roles, sites and segments side by side with the default number', () => {
    const groups = groupsOf(24);
    expect(new Set(groups.map(({ role }) => role)).size).toBe(3);
    expect(new Set(groups.map(({ site }) => site)).size).toBe(4);
    expect(new Set(groups.map(({ segment }) => segment))).toEqual(new Set(['canary', 'early', 'general']));
  });

  it('lets many devices ask less often', () => {
    expect([intervalOf(24), intervalOf(1_000)]).toEqual([10, 50]);
  });
});
