/** What a bench measured. Names in snake case with their unit: `signal_to_healthy_ms`, `noop_disk_bytes`. */
export interface Measured {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** A peer or a ceiling, measured in the same run; null where there is none. The ratio is `value` to its value. */
  readonly against: { readonly name: string; readonly value: number } | null;
}

export interface Figure extends Measured {
  readonly ratio: number | null;
}

/** Adds the ratio. Throws RangeError for a name that is not in snake case or a value that is no number. */
export function figureOf({ name, value, unit, against }: Measured): Figure {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || !Number.isFinite(value)) {
    throw new RangeError(`A figure needs a name in snake case and a finite value, not ${name} = ${value}`);
  }
  return { name, value, unit, against, ratio: against === null ? null : ratioOf(value, against.value) };
}

/** The versioned line that `fleet bench NAME --json` ends with. */
export function figuresJson(bench: string, figures: readonly Figure[]): string {
  return JSON.stringify({ schemaVersion: 1, bench, figures });
}

/** A line per figure, for people. */
export function figuresText(figures: readonly Figure[]): string {
  const width = Math.max(0, ...figures.map(({ name }) => name.length));
  const line = ({ name, value, unit, against, ratio }: Figure): string => {
    const peer =
      against === null
        ? ''
        : `  (${against.name}: ${round(against.value)} ${unit}, ratio ${ratio ?? 'none'})`;
    return `${name.padEnd(width)}  ${round(value)} ${unit}${peer}\n`;
  };
  return figures.map(line).join('');
}

/** Null beside a peer that measured nothing. */
function ratioOf(value: number, peer: number): number | null {
  return peer === 0 ? null : round(value / peer);
}

/** Four significant digits: what a measurement is good for. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
