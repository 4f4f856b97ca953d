import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';
import type { Engine } from './engine.ts';
import type { Exec } from './exec.ts';
import type { Http } from './http.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';

/** Everything that the agent needs of the world, as one object. Built in `main.ts` and nowhere else. */
export interface Ports {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly engine: Engine;
  readonly exec: Exec;
  readonly http: Http;
  readonly log: Log;
  readonly network: Network;
}

/**
 * Names one step that changes the world (`stage.release.rename`). A test can kill the agent before or after exactly
 * that step, or make it fail; a new label is covered without being listed.
 */
export type Label = `${string}.${string}`;
