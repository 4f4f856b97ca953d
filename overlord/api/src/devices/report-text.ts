import { describeProblem } from '@metrica-fleet/protocol';
import type { Report } from '@metrica-fleet/protocol/api';

const WORDS: Readonly<Record<Report['kind'], string>> = {
  staging: 'Fetching',
  activated: 'Switched to',
  updated: 'Updated to',
  failed: 'Could not run',
  delayed: 'Waits before it tries again:',
  reverted: 'Went back to',
  repaired: 'Repaired',
  rebuilt: 'Rebuilt its journal',
  booted: 'Started up',
  outage: 'Was cut off',
  order: 'Order',
  'safe-mode': 'Entered safe mode with',
};

/** A report as one sentence of the device's timeline. */
export function sentenceOf({ kind, role, commit, detail, problem, ok }: Omit<Report, 'id' | 'at'>): string {
  const release =
    role === undefined ? '' : ` ${role}${commit === undefined ? '' : `@${commit.slice(0, 12)}`}`;
  if (kind === 'order')
    return `Order ${ok === true ? 'done' : 'not done'}${detail === undefined ? '' : `: ${detail}`}`;
  const why = problem === undefined ? (detail ?? '') : describeProblem(problem);
  return `${WORDS[kind]}${release}${why === '' ? '' : ` – ${why}`}`.slice(0, 2_000);
}
