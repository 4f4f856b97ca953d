import { chanceOf } from './random.ts';

/** What is wrong with one device, from the beginning to the end. */
export interface Faults {
  /** Its line is that many times slower than others; 1 for none. */
  readonly slower: number;
  /** Share of its requests that the line swallows. */
  readonly loss: number;
  /** It loses its power in the middle of updates; null for never. */
  readonly powerCut: PowerCut | null;
  /** Its line is cut in the middle of updates; null for never. */
  readonly lineCut: LineCut | null;
}

export interface PowerCut {
  /** After which step of an update. */
  readonly during: 'update-started' | 'activated';
  /** Seconds after it. */
  readonly after: number;
}

export interface LineCut {
  /** Seconds after an update has started. */
  readonly after: number;
  /** Seconds until the line is back. */
  readonly lasts: number;
}

export const NO_FAULTS: Faults = { slower: 1, loss: 0, powerCut: null, lineCut: null };

/** Share of the devices that have something. */
const AFFLICTED = 0.1;

/** The faults of one device: they follow from the seed and its name, and from nothing else. */
export function faultsOf(seed: number, device: string): Faults {
  const chance = chanceOf(seed, device, 'faults');
  if (!chance.happens(AFFLICTED)) return NO_FAULTS;
  switch (chance.pick(['slow', 'lossy', 'power', 'line'])) {
    case 'slow':
      return { ...NO_FAULTS, slower: chance.between(2, 8) };
    case 'lossy':
      return { ...NO_FAULTS, loss: chance.between(5, 20) / 100 };
    case 'power': {
      const during = chance.pick(['update-started', 'activated']);
      return { ...NO_FAULTS, powerCut: { during, after: chance.between(1, 8) } };
    }
    case 'line':
      return { ...NO_FAULTS, lineCut: { after: chance.between(0, 10), lasts: chance.between(30, 180) } };
  }
}
