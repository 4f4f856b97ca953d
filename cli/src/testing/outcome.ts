export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** How a part ended. */
export interface Outcome {
  readonly part: string;
  readonly counts: Counts;
  /** Milliseconds. */
  readonly took: number;
  /** Why it was left out; null when it ran. */
  readonly leftOut: string | null;
  /** What failed, a line each. */
  readonly failures: readonly string[];
  /** What was skipped, with the reason, a line each. */
  readonly skips: readonly string[];
}

/**
 * A part that did not run. Where everything is meant to run (`strict`: in CI, or when it was asked for by name) that is
 * a failure; elsewhere it counts as skipped, so that the last line shows it.
 */
export function leftOut(part: string, reason: string, strict: boolean): Outcome {
  const counts = strict ? { passed: 0, failed: 1, skipped: 0 } : { passed: 0, failed: 0, skipped: 1 };
  const failures = strict ? [`left out: ${reason}`] : [];
  return { part, counts, took: 0, leftOut: reason, failures, skips: [] };
}

/** A part that died before it could count, or found nothing to run: one failure. */
export function died(part: string, why: string, took: number): Outcome {
  const counts = { passed: 0, failed: 1, skipped: 0 };
  return { part, counts, took, leftOut: null, failures: [why], skips: [] };
}

export function total(outcomes: readonly Outcome[]): Counts {
  const sum = (key: keyof Counts): number => outcomes.reduce((all, { counts }) => all + counts[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** In CI a skipped test is a test that nobody runs. */
export function succeeded(outcomes: readonly Outcome[], ci: boolean): boolean {
  const { passed, failed, skipped } = total(outcomes);
  return failed === 0 && passed > 0 && !(ci && skipped > 0);
}

/** The closing line, which CI reads. */
export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Everything that is said at the end: each part, what failed, what was skipped or left out and why, the counts. */
export function summary(outcomes: readonly Outcome[], ci: boolean): string {
  const width = Math.max(...outcomes.map(({ part }) => part.length));
  const counts = total(outcomes);
  return [
    '',
    ...outcomes.flatMap((outcome) => describe(outcome, width)),
    ...(ci && counts.skipped > 0 && counts.failed === 0
      ? ['Under CI=true a skipped test is a failure.']
      : []),
    '',
    countsLine(counts),
    '',
  ].join('\n');
}

function describe(
  { part, counts, took, leftOut: reason, failures, skips }: Outcome,
  width: number,
): string[] {
  const end =
    reason === null ? `${countsLine(counts)} in ${(took / 1000).toFixed(1)} s` : `left out: ${reason}`;
  return [
    `${part.padEnd(width)}  ${end}`,
    ...(reason === null ? failures : []).map((line) => `  failed   ${line}`),
    ...skips.map((line) => `  skipped  ${line}`),
  ];
}
