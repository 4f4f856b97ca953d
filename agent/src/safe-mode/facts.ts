import type { Problem } from '@metrica-fleet/protocol';
import { redact } from '../act/orders/collect-logs.ts';
import type { SafeModeReason } from './reason.ts';

/** How the unit left SSH; see `debian/safe-mode`. */
const SSH = {
  'was-on': 'was on already, and is as it was',
  'switched-on': 'switched on while safe mode lasts, for keys alone',
  'no-keys': 'off: nobody has put a key on this device (~/.ssh/authorized_keys), so nobody could get in',
  masked: 'off: it is masked, which somebody has decided',
  missing: 'off: there is no SSH server on this device',
  failed: 'off: it could not be started; see journalctl -u ssh',
} as const;

/** What was found on the device beside the reason. */
export interface Found {
  readonly reason: SafeModeReason | null;
  readonly hostname: string;
  /** Of the board; null where it does not say. */
  readonly model: string | null;
  readonly serial: string | null;
  /** Addresses of the page. */
  readonly pages: readonly string[];
  /** Word of the unit on SSH; null where it has said none yet. */
  readonly ssh: string | null;
  /** The agent's journal, for reasons that bring no log. */
  readonly journal: string;
}

/** What the page and `/status.json` tell of the device. */
export interface Facts {
  readonly schemaVersion: 1;
  readonly safeMode: true;
  readonly device: string;
  readonly hostname: string;
  readonly role: string | null;
  readonly commit: string | null;
  /** ISO 8601, UTC; null where nobody has written it down. */
  readonly since: string | null;
  readonly by: SafeModeReason['by'] | null;
  readonly problem: Problem;
  readonly model: string | null;
  readonly serial: string | null;
  readonly pages: readonly string[];
  readonly ssh: string | null;
  /** Without what looks like a secret. */
  readonly log: string;
}

const UNKNOWN: Problem = {
  code: 'agent-bug',
  what: 'Nobody has written down why',
  remedy: 'See `role-agent logs` on the device, over SSH or at its console.',
};

/** Characters of the log that are shown: its end. */
const LOG = 20_000;

/** Puts together what is shown. What people wrote, and what programs print, loses what looks like a secret. */
export function factsOf({ reason, journal, ssh, ...rest }: Found): Facts {
  const { what, where, remedy, code } = reason?.problem ?? UNKNOWN;
  const log = reason === null || reason.log.trim() === '' ? journal : reason.log;
  return {
    schemaVersion: 1,
    safeMode: true,
    device: reason?.device ?? rest.hostname,
    role: reason?.role ?? null,
    commit: reason?.commit ?? null,
    since: reason?.since ?? null,
    by: reason?.by ?? null,
    problem: {
      code,
      what: redact(what),
      ...(where === undefined ? {} : { where: redact(where) }),
      ...(remedy === undefined ? {} : { remedy: redact(remedy) }),
    },
    ssh: ssh === null ? null : wordsOf(ssh),
    log: redact(log).slice(-LOG).trim(),
    ...rest,
  };
}

function wordsOf(ssh: string): string | null {
  return Object.hasOwn(SSH, ssh) ? SSH[ssh as keyof typeof SSH] : null;
}
