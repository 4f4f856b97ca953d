import { died, type Outcome } from './outcome.ts';

/** The parts that we read of what vitest's JSON reporter writes. */
interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly meta?: { readonly reason?: string };
    }[];
  }[];
}

export interface VitestRun {
  readonly part: string;
  /** Text of the report; null when vitest wrote none. */
  readonly report: string | null;
  /** Why the process ended in a bad way («exit code 1», a deadline); null when it ended well. */
  readonly trouble: string | null;
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Counts the tests of one run of vitest. A file that could not be loaded is a failure, and so is a bad end that no
 * failed test explains. A skipped test gives its reason in `task.meta.reason`.
 */
export function outcomeOf({ part, report, trouble, took }: VitestRun): Outcome {
  if (report === null) return died(part, trouble ?? 'vitest wrote no report', took);
  const { testResults }: Report = JSON.parse(report);
  const tests = testResults.flatMap((file) => file.assertionResults);
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some(isFailed),
  );
  const failures = [
    ...tests.filter(isFailed).map(({ fullName }) => fullName.trim()),
    ...broken.map(({ name, message }) => `${name}: ${message.split('\n')[0]}`),
  ];
  const passed = tests.filter(({ status }) => status === 'passed').length;
  if (failures.length === 0 && trouble !== null) failures.push(trouble);
  if (failures.length === 0 && passed === 0) failures.push('no test ran');
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  return {
    part,
    counts: { passed, failed: failures.length, skipped: skipped.length },
    took,
    leftOut: null,
    failures,
    skips: skipped.map(({ fullName, meta }) => `${fullName.trim()} (${meta?.reason ?? 'no reason given'})`),
  };
}

function isFailed({ status }: { readonly status: string }): boolean {
  return status === 'failed';
}
