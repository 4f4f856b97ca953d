import { parseArgs } from 'node:util';

/** How the simulator was called. */
export interface Options {
  /** Without a slash at its end. */
  readonly overlord: string;
  /** File with the authority that devices pin; null for those of the system. */
  readonly ca: string | null;
  readonly seed: number;
  /** Seconds that pass on a device in one of ours. */
  readonly speed: number;
  readonly faults: 'none' | 'some';
  /** Path of the socket for the controls. */
  readonly control: string;
}

/** It was called wrongly; the message says how. */
export class UsageError extends Error {}

const FASTEST = 100;

/** Reads the command line. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Options {
  const { overlord, ca, seed, speed, faults, control } = valuesOf(argv);
  if (overlord === undefined || !URL.canParse(overlord))
    throw new UsageError('--overlord takes the URL of an overlord');
  if (control === undefined) throw new UsageError('--control takes the path of a socket, which is made');
  if (faults !== 'none' && faults !== 'some') throw new UsageError('--faults takes none or some');
  return {
    overlord: overlord.replace(/\/$/, ''),
    ca: ca ?? null,
    seed: numberOf('seed', seed, { from: 0, to: 2 ** 32 - 1 }),
    speed: numberOf('speed', speed, { from: 1, to: FASTEST }),
    faults,
    control,
  };
}

function valuesOf(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        overlord: { type: 'string' },
        ca: { type: 'string' },
        seed: { type: 'string', default: '1' },
        speed: { type: 'string', default: '1' },
        faults: { type: 'string', default: 'none' },
        control: { type: 'string' },
      },
    }).values;
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function numberOf(name: string, text: string, { from, to }: { from: number; to: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new UsageError(`--${name} takes a whole number from ${from} to ${to}, not «${text}»`);
}
