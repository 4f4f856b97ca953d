import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CHANGES, type Change } from './announce.ts';
import { backoff } from './backoff.ts';
import { connectionOf } from './connection.ts';
import type { DatabaseLog } from './log.ts';

export interface Listener {
  /** Called for each change, in order. */
  readonly onChange: (change: Change) => void;
  /** Called once listening begins, and again after each gap: what happened meanwhile must be read from the tables. */
  readonly onGap: () => void;
}

interface Surroundings {
  readonly log: DatabaseLog;
  /** Ends the listening. */
  readonly signal: AbortSignal;
}

/** A connection that has died without a word (NAT, a pulled cable) is found out by asking. Milliseconds. */
const PING = 30_000;
const ANSWER_LIMIT = 10_000;

/**
 * Listens to what replicas announce, for as long as `signal` is not aborted; connects again whenever it must. `url` is
 * one of a server, not of a pooler in transaction mode.
 */
export async function listen(url: string, listener: Listener, { log, signal }: Surroundings): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await listenOnce(
        url,
        {
          ...listener,
          onGap() {
            attempt = 0;
            listener.onGap();
          },
        },
        { log, signal },
      );
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ reason: String(error) }, 'The connection for news was lost');
      await sleep(backoff(attempt + 1, Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** On one connection: until it is lost, which throws, or until the signal. */
async function listenOnce(
  url: string,
  { onChange, onGap }: Listener,
  { log, signal }: Surroundings,
): Promise<void> {
  // Ours to destroy: pg's own end waits for the other side, which may be gone.
  const socket = new Socket();
  const client = new pg.Client({
    ...connectionOf(url, 'overlord listener'),
    query_timeout: ANSWER_LIMIT,
    stream: () => socket,
  });
  const ended = new AbortController();
  let reason: unknown = new Error('The server closed it');
  client.on('error', (error) => {
    reason = error;
    ended.abort();
  });
  client.on('end', () => ended.abort());
  client.on('notification', ({ payload }) => {
    const change = readChange(payload ?? '');
    if (change === null) return log.warn({ payload }, 'News that is none was passed over');
    onChange(change);
  });
  const over = AbortSignal.any([signal, ended.signal]);
  over.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    await client.connect();
    await client.query(`listen ${CHANGES}`);
    onGap();
    while (!over.aborted) {
      await sleep(PING, undefined, { signal: over, ref: false }).catch(() => undefined);
      if (!over.aborted) await client.query('select 1');
    }
    if (!signal.aborted) throw reason;
  } finally {
    socket.destroy();
  }
}

/** Anybody who may use the database may NOTIFY. Null for what is no news of ours. */
function readChange(payload: string): Change | null {
  try {
    const { topic, id } = JSON.parse(payload) as Partial<Record<keyof Change, unknown>>;
    // A topic of a newer replica is for the handlers to pass over.
    return typeof topic === 'string' && typeof id === 'string' ? ({ topic, id } as Change) : null;
  } catch {
    return null;
  }
}
