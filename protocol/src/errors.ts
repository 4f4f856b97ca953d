/**
 * Whose fault a failure is, which is what decides what happens next:
 *
 * - `content`: the release itself is bad. It is quarantined on this device and not tried again by itself.
 * - `environment`: network, space, a stopped engine. Tried again with backoff, never quarantined.
 * - `setup`: the device or its configuration cannot work until a person changes something. Tried again with
 *   backoff, and said clearly.
 */
export type Blame = 'content' | 'environment' | 'setup';

/**
 * Every error that the agent, the lint or the CLI can report, with whose fault it is. The code is stable: people
 * search for it and programs match on it. Wording may change, codes may not.
 */
export const ERROR_CODES = {
  'input-invalid': 'content',
  'version-unsupported': 'content',
  'role-invalid': 'content',
  'role-not-found': 'setup',
  'role-unsuitable': 'setup',
  'variables-invalid': 'setup',
  'config-invalid': 'setup',
  'compose-invalid': 'content',
  'validate-refused': 'content',
  'path-escapes': 'content',
  'manifest-mismatch': 'content',
  'bundle-invalid': 'content',
  'bundle-too-large': 'content',
  'statement-missing': 'setup',
  'statement-invalid': 'content',
  'statement-replayed': 'setup',
  'signers-missing': 'setup',
  'image-not-found': 'content',
  'image-unreachable': 'environment',
  'image-denied': 'setup',
  'pull-stalled': 'environment',
  'source-unreachable': 'environment',
  'source-behind': 'environment',
  'source-denied': 'setup',
  'branch-not-found': 'setup',
  'not-enrolled': 'setup',
  'enrolment-refused': 'setup',
  'certificate-mismatch': 'setup',
  'clock-wrong': 'environment',
  'no-space': 'environment',
  'docker-missing': 'setup',
  'docker-unreachable': 'environment',
  'docker-stuck': 'environment',
  'compose-missing': 'setup',
  'host-unsupported': 'setup',
  'health-failed': 'content',
  'start-failed': 'content',
  'stack-broken': 'content',
  'reboot-loop': 'content',
  'deadline-exceeded': 'environment',
  'command-failed': 'environment',
  'disk-failed': 'environment',
  'loop-detected': 'content',
  'safe-mode-ordered': 'setup',
  'agent-bug': 'environment',
} as const satisfies Record<string, Blame>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What a reader of an error needs: what happened, where, and what to do. Plain data, so that it can be stored and sent. */
export interface Problem {
  readonly code: ErrorCode;
  /** One sentence, no trailing stack: what happened. */
  readonly what: string;
  /** The file (with line), URL, service or unit that it is about. */
  readonly where?: string;
  /** What the reader can do about it. */
  readonly remedy?: string;
}

/** The one error class that crosses module borders. Everything else that is thrown is a bug of ours. */
export class FleetError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: { cause?: unknown }) {
    super(describeProblem(problem), options);
    this.name = 'FleetError';
    this.problem = problem;
  }
}

/** Renders a problem on one line: `what (where). Remedy.` */
export function describeProblem({ what, where, remedy }: Problem): string {
  const place = where === undefined ? '' : ` (${where})`;
  return `${what.replace(/\.$/, '')}${place}.${remedy === undefined ? '' : ` ${remedy}`}`;
}

/** Turns anything thrown into a problem; what is not a FleetError is reported as `agent-bug`, with its message. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof FleetError) return thrown.problem;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: 'agent-bug',
    what: `Unexpected error: ${message}`,
    remedy: 'This is our bug; please report it with `role-agent logs`.',
  };
}

/** Whose fault a problem is. */
export function blameOf(problem: Problem): Blame {
  return ERROR_CODES[problem.code];
}
