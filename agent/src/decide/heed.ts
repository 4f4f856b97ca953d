import type { Desired } from '../sources/source.ts';
import type { Deployment, Journal, Scheduled } from './journal.ts';
import { wantedKey } from './wanted.ts';

/** What somebody asks of a run. */
export interface Insistence {
  /** What waits for its backoff is tried now. Quarantine holds all the same. */
  readonly insist: boolean;
  /** What is wanted is tried again although it failed here. */
  readonly redeploy: boolean;
}

/** The journal as somebody wants it to be seen: failures forgiven and windows waived, as far as they ask for it. */
export function heed(journal: Journal, { insist, redeploy }: Insistence, desired: Desired | null): Journal {
  if (!insist && !redeploy) return journal;
  const patient: Journal = { ...journal, delayed: null, repairs: null };
  if (!redeploy) return patient;
  const key = desired === null ? null : wantedKey(desired);
  const { safe, scheduled, ...rest } = patient;
  return {
    ...rest,
    quarantine: journal.quarantine.filter((entry) => entry.key !== key),
    ...(safe === undefined ? {} : { safe: { ...safe, held: false, retry: { ...safe.retry, wait: 0 } } }),
    ...(scheduled === undefined ? {} : { scheduled: { ...scheduled, deployment: windowless(scheduled) } }),
  };
}

function windowless({ deployment: { window: _window, ...deployment } }: Scheduled): Deployment {
  return deployment;
}
