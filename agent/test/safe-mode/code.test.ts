import { describe, expect, it } from 'vitest';
import { CodeCheck } from '../../src/safe-mode/code.ts';

const RIGHT = { code: 'ABCD2345', expected: 'ABCD2345', caller: '192.168.1.5', now: 100 };

describe('the code', () => {
  it.each(['ABCD2345', 'abcd2345', 'ABCD-2345', ' abcd 2345 '])('is right as «%s»', (code) => {
    expect(new CodeCheck().try({ ...RIGHT, code })).toBe('right');
  });

  it.each(['', 'ABCD', 'ABCD23456', 'ABCD2346', '-'.repeat(8)])('is wrong as «%s»', (code) => {
    expect(new CodeCheck().try({ ...RIGHT, code })).toBe('wrong');
  });

  it.each([null, '', 'AB'])('is never right where there is none (%s)', (expected) => {
    expect(new CodeCheck().try({ ...RIGHT, expected, code: expected ?? '' })).toBe('wrong');
  });

  it('can be tried five times a minute, then even the right one has to wait', () => {
    const check = new CodeCheck();
    for (let tries = 0; tries < 5; tries += 1) expect(check.try({ ...RIGHT, code: 'x' })).toBe('wrong');
    expect(check.try(RIGHT)).toBe('too-many');
    expect(check.try({ ...RIGHT, now: 159 })).toBe('too-many');
    expect(check.try({ ...RIGHT, now: 161 })).toBe('right');
  });

  it('is not locked for others by one who guesses', () => {
    const check = new CodeCheck();
    for (let tries = 0; tries < 500; tries += 1) check.try({ ...RIGHT, code: 'x' });
    expect(check.try({ ...RIGHT, caller: '192.168.1.6' })).toBe('right');
  });

  it('cannot be guessed faster by many addresses', () => {
    const check = new CodeCheck();
    const verdicts = Array.from({ length: 1_000 }, (_, caller) =>
      check.try({ ...RIGHT, code: 'x', caller: `2001:db8::${caller}` }),
    );
    expect(verdicts.filter((verdict) => verdict === 'wrong')).toHaveLength(120);
  });
});
