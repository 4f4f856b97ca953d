import type { Contact } from '../../checkin/contact.ts';
import type { Moment } from '../../ports/clock.ts';

/** A device says at least this often that it is there. Seconds; see docs/decisions/0004. */
const LONGEST_QUIET = 1_800;
/** Runs are started by the minute. Seconds. */
const SLACK = 30;

/** The last heartbeat. Seconds. */
export interface Beat {
  /** Uptime. */
  readonly at: number;
  /** Twice what the overlord has promised: the stream counts as alive this long. */
  readonly goodFor: number;
}

export interface Occasion {
  /** Somebody asked for this run: a signal, an order, a person. */
  readonly eager: boolean;
  readonly contact: Contact;
  /** `statusDigest` of what the last run left; null where none has ended since the boot. */
  readonly status: string | null;
  readonly waitingReports: number;
  /** Of the stream of signals, as the wake unit has it; null without a stream. */
  readonly beat: Beat | null;
  readonly now: Moment;
}

/**
 * May a run do without a check-in? While the stream of signals is alive and there is nothing to say, a check-in would
 * only say «still here», which the open stream says already.
 */
export function mayStayQuiet({ eager, contact, status, waitingReports, beat, now }: Occasion): boolean {
  if (eager || waitingReports > 0 || contact.silence !== null) return false;
  if (contact.answered === null || contact.status === null || contact.status !== status) return false;
  if (now.uptime - contact.answered >= LONGEST_QUIET - SLACK) return false;
  return beat !== null && beat.at <= now.uptime && now.uptime - beat.at <= beat.goodFor;
}
