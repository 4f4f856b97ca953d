import { expect, it } from 'vitest';
import { faultsOf, NO_FAULTS } from '../src/faults.ts';
import { makeBoard } from '../src/host/board.ts';
import { chanceOf } from '../src/random.ts';

const NAMES = Array.from({ length: 400 }, (_, index) => `pi-${String(index + 1).padStart(4, '0')}`);
const all = (seed: number) => NAMES.map((name) => faultsOf(seed, name));

it('gives every device of a seed the same faults again, and other faults with another seed', () => {
  expect(all(7)).toEqual(all(7));
  expect(all(7)).not.toEqual(all(8));
});

it('afflicts about one device in ten, with each kind of fault', () => {
  const afflicted = all(7).filter((faults) => faults !== NO_FAULTS);
  expect(afflicted.length / NAMES.length).toBeGreaterThan(0.05);
  expect(afflicted.length / NAMES.length).toBeLessThan(0.15);
  expect(afflicted.some(({ slower }) => slower > 1)).toBe(true);
  expect(afflicted.some(({ loss }) => loss > 0)).toBe(true);
  expect(afflicted.some(({ powerCut }) => powerCut !== null)).toBe(true);
  expect(afflicted.some(({ lineCut }) => lineCut !== null)).toBe(true);
});

it('makes boards of which no two are the same', () => {
  const boards = NAMES.map((name) => makeBoard(chanceOf(7, name, 'board')));
  expect(new Set(boards.map(({ serial }) => serial)).size).toBe(NAMES.length);
  expect(boards).toEqual(NAMES.map((name) => makeBoard(chanceOf(7, name, 'board'))));
});
