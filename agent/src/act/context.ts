import type { Config } from '../config.ts';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports/ports.ts';
import type { Source } from '../sources/source.ts';

/** What one run works with, built in `main.ts` and passed down as one object. */
export interface Context {
  readonly ports: Ports;
  readonly paths: Paths;
  readonly config: Config;
  /** In the order in which they are asked. */
  readonly sources: readonly Source[];
  /** How long one run may watch a health gate before it leaves the rest to the next run. Milliseconds. */
  readonly budget: number;
}
