import { digestOf } from './digest.ts';

/** Shares of a fleet are counted in ten-thousandths. */
export const SHARE_SCALE = 10_000;

/**
 * Where a device stands among all devices for one release, in [0, 10,000): it belongs to a stage of share `s` when this
 * is below `s`. Deterministic, so that a stage only grows; different for each release, so that nobody is always first.
 */
export function shareOf(device: string, release: string): number {
  return Number(BigInt(`0x${digestOf(`${device}\n${release}`).slice(0, 15)}`) % BigInt(SHARE_SCALE));
}
