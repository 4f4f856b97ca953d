/** What a bench measured, as `cli/src/bench/figure.ts` takes it: the ratio to the peer is reckoned there. */
interface Measured {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly against: { readonly name: string; readonly value: number } | null;
}

/** What two did in turn, under the name that the figure gives to the second. */
interface Series {
  readonly ours: readonly number[];
  readonly peer: string;
  readonly theirs: readonly number[];
}

/** The figures of a bench in the making. */
export class Figures {
  private readonly measured: Measured[] = [];

  /** A figure that stands alone. */
  alone(name: string, unit: string, value: number): void {
    this.measured.push({ name, value: tidy(value), unit, against: null });
  }

  /** Medians beside each other. */
  beside(name: string, unit: string, { ours, peer, theirs }: Series): void {
    const against = { name: peer, value: tidy(median(theirs)) };
    this.measured.push({ name, value: tidy(median(ours)), unit, against });
  }

  /** The line on stdout that the command line reads. */
  toJson(): string {
    return JSON.stringify(this.measured);
  }
}

/** Throws RangeError where there is nothing to take it of. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('No values, no median');
  return (upper + lower) / 2;
}

/** Hundredths are beyond what any clock here can tell. */
function tidy(value: number): number {
  return Math.round(value * 100) / 100;
}
