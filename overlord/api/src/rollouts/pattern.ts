import type { Problem } from '@metrica-fleet/protocol';

/** One device that failed in a rollout. */
export interface Failure {
  readonly problem: Problem | null;
  /** Of the board; null when it did not say. */
  readonly model: string | null;
  /** Short commit that it ran before; null when it ran nothing. */
  readonly before: string | null;
}

/**
 * What failures have in common, in one sentence without its full stop: how many of how many, the error, and hardware
 * and former version where all share one. `tried`: devices of the stage that came to an end.
 */
export function patternOf(failures: readonly Failure[], tried: number, stage: string): string {
  const parts = [`${failures.length} of ${tried} devices that tried it in ${stage} failed`];
  const error = mostCommon(failures.map(({ problem }) => problem?.code ?? null));
  if (error !== null) {
    const first = failures.find(({ problem }) => problem?.code === error.value)?.problem;
    const share = error.count === failures.length ? 'with' : `${error.count} of them with`;
    parts.push(`${share} ${error.value} («${first?.what.replace(/\.$/, '') ?? ''}»)`);
  }
  const model = sharedBy(failures.map(({ model: name }) => name));
  if (model !== null && failures.length > 1) parts.push(`all on ${model}`);
  const before = sharedBy(failures.map(({ before: commit }) => commit));
  if (before !== null && failures.length > 1) parts.push(`all coming from ${before}`);
  return parts.join(', ');
}

function mostCommon(values: readonly (string | null)[]): { value: string; count: number } | null {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined ? null : { value: first[0], count: first[1] };
}

function sharedBy(values: readonly (string | null)[]): string | null {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : null;
}
