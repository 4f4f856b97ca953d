import { describe, expect, it } from 'vitest';
import { PARTS, type Part } from '../src/testing/parts.ts';
import { packagesOf, whyNot } from '../src/testing/prerequisites.ts';

const part: Part = {
  name: 'sea',
  about: '',
  minutes: 1,
  needsRoot: true,
  programs: [
    { program: 'sail', package: 'sails' },
    { program: 'mast', package: 'masts' },
    { program: 'boom', package: 'masts' },
  ],
  work: { kind: 'checks', checks: [] },
};

describe('a part', () => {
  it('runs where everything is there', () => {
    expect(whyNot(part, { isRoot: true, has: () => true })).toBeNull();
  });

  it('says what is missing and how to get it', () => {
    expect(whyNot(part, { isRoot: false, has: (program) => program === 'sail' })).toBe(
      'it needs root; mast, boom missing: apt-get install masts',
    );
  });

  it('names each package once', () => {
    expect(packagesOf(part.programs)).toEqual(['masts', 'sails']);
  });
});

describe('all parts together', () => {
  it('stay under an hour even when each takes all its time', () => {
    expect(PARTS.reduce((sum, { minutes }) => sum + minutes, 0)).toBeLessThan(60);
  });

  it('have names that tell them apart', () => {
    expect(new Set(PARTS.map(({ name }) => name)).size).toBe(PARTS.length);
  });
});
