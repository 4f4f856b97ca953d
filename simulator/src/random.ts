import { createHash } from 'node:crypto';

/** Numbers that follow from a seed and from what they are for: whoever asks first changes nothing for the others. */
export interface Chance {
  /** From 0 up to, but not including, 1. */
  next(): number;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
  pick<const T>(from: readonly [T, ...T[]]): T;
  /** True in this share of the cases. */
  happens(share: number): boolean;
  /** Hexadecimal digits. */
  hex(digits: number): string;
}

/** Chance for one purpose: `chanceOf(7, 'pi-0001', 'board')` is the same in every process. */
export function chanceOf(seed: number, ...purpose: readonly string[]): Chance {
  let state = createHash('sha256')
    .update([seed, ...purpose].join('\n'))
    .digest()
    .readUInt32LE();
  // mulberry32: 32 bits of state are plenty for a few hundred draws.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (from) => from[Math.floor(next() * from.length)] ?? from[0],
    happens: (share) => next() < share,
    hex: (digits) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(''),
  };
}
