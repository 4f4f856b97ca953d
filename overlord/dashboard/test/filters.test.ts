import { expect, it } from 'vitest';
import { filtersInWords, filtersOf } from '../src/pages/devices/filters.ts';

it('takes filters from an address, and leaves out what cannot be', () => {
  expect(
    filtersOf({ state: 'failed', segment: 'canary', role: 'camera', site: '', q: 'pi', other: 'x' }),
  ).toEqual({ state: 'failed', segment: 'canary', role: 'camera', q: 'pi' });
  expect(filtersOf({ state: 'tired', segment: 7, membership: '__proto__', role: { a: 1 } })).toEqual({});
});

it('takes a number in an address for the text that it was', () => {
  expect(filtersOf({ q: 12, site: 7 })).toEqual({ q: '12', site: '7' });
});

it('says filters in words', () => {
  expect(filtersInWords({ state: 'failed', commit: 'c'.repeat(40), q: 'pi' })).toBe(
    'state failed, runs ccccccc, name contains «pi»',
  );
});
