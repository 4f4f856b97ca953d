/** `ok`; `warning`: works, and will hurt; `problem`: does not work, or loses data; `unknown`: could not be told from here. */
export type Severity = 'ok' | 'warning' | 'problem' | 'unknown';

/** What one check has come to. */
export interface Finding {
  /** Its name, for scripts: stays the same. */
  readonly check: string;
  readonly severity: Severity;
  /** What was seen, in one sentence without a full stop. */
  readonly seen: string;
  /** Why it matters. Absent where all is well. */
  readonly why?: string;
  /** What to do, in words: a line of a file, or what the command does beyond the obvious. */
  readonly remedy?: string;
  /** What to do, for a root shell, exactly as it is to be typed. */
  readonly command?: string;
}

type Words = Omit<Finding, 'check' | 'severity' | 'seen'>;

/** A finding where all is well. */
export function ok(check: string, seen: string): Finding {
  return { check, severity: 'ok', seen };
}

/** A finding that works, and will hurt. */
export function warning(check: string, seen: string, words: Words): Finding {
  return { check, severity: 'warning', seen, ...words };
}

/** A finding that has to be mended. */
export function problem(check: string, seen: string, words: Words): Finding {
  return { check, severity: 'problem', seen, ...words };
}

/** A finding that could not be told: not as this user, not here, not in time. */
export function unknown(check: string, seen: string, words: Words = {}): Finding {
  return { check, severity: 'unknown', seen, ...words };
}
