import { expect, it } from 'vitest';
import { filtersInWords, filtersOf } from '../src/pages/devices/filters.ts';

it('takes filters from an address, and leaves out what cannot be', () => {
  expect(
    filtersOf({ state: 'failed', segment: 'canary', role: 'camera', site: '', q: 'pi', other: 'x' }),
  ).toEqual({ state: 'failed', segment: 'canary', role: 'camera', q: 'pi' });
  expect(filtersOf({ state: 'tired', segment: 7, membership: '__proto__', role: { a: 1 } })).toEqual({});
});

it('says filters in words', () => {
  expect(filtersInWords({ state: 'failed', commit: 'c'.repeat(40), q: 'pi' })).toBe(
    'state failed, runs ccccccc, name contains «pi»',
  );
});
