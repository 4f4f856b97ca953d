import type { Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Schema } from '../db/schema.ts';
import { inTurn } from '../server/in-turn.ts';
import { loadSnapshot } from './load-snapshot.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from './snapshot.ts';

/** What is decided, kept in memory: check-ins are answered without the database. */
export interface Decisions {
  current(): Snapshot;
  /**
   * Reads the tables again; resolves once everything that was committed before the call is in `current`. To be called
   * at the start, for each change of `decisions`, and after each gap in the news.
   */
  refresh(): Promise<void>;
  /** Resolves when no reading is under way or waiting: with the news in their order, all before this is in. */
  settled(): Promise<void>;
}

/** Pause after a reading that failed. Milliseconds. */
const PAUSE = 500;

/** Keeps what is decided in memory. Readings that are asked for at once are one; a failed one is tried until `signal` aborts. */
export function keepDecisions({
  db,
  log,
  signal,
}: {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Decisions {
  let snapshot = EMPTY_SNAPSHOT;
  const refresh = inTurn(async () => {
    while (!signal.aborted) {
      try {
        snapshot = await loadSnapshot(db);
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        log.warn({ reason: String(thrown) }, 'What is decided could not be read; it is tried again');
        await sleep(PAUSE, undefined, { signal }).catch(() => undefined);
      }
    }
  });
  return { current: () => snapshot, refresh, settled: () => refresh.settled() };
}
