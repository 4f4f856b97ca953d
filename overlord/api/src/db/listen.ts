import pg from 'pg';
import type { Logger } from 'pino';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHANGES, type Change } from './announce.ts';

export interface Listener {
  /** Called for each change, in order. */
  readonly onChange: (change: Change) => void;
  /** Called once listening begins, and again after each gap: what happened meanwhile must be read from the tables. */
  readonly onGap: () => void;
}

const BACKOFF = { first: 100, most: 5_000 } as const;
/** A connection that has died without a word (NAT, a pulled cable) is found out by asking. Milliseconds. */
const PING = 30_000;

/** Listens to what replicas announce, for as long as `signal` is not aborted; connects again whenever it must. */
export async function listen(
  url: string,
  { onChange, onGap }: Listener,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (let wait: number = BACKOFF.first; !signal.aborted;) {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'overlord listener',
      connectionTimeoutMillis: 10_000,
      query_timeout: 10_000,
    });
    try {
      const lost = new Promise<never>((_, reject) => {
        client.on('error', reject);
        client.on('end', () => reject(new Error('The connection ended')));
        signal.addEventListener('abort', () => reject(new Error('Stopped')), { once: true });
      });
      lost.catch(() => undefined);
      client.on('notification', ({ payload }) => onChange(JSON.parse(payload ?? '{}') as Change));
      await Promise.race([client.connect(), lost]);
      await client.query(`listen ${CHANGES}`);
      onGap();
      wait = BACKOFF.first;
      for (;;) {
        await Promise.race([sleep(PING, undefined, { ref: false }), lost]);
        await Promise.race([client.query('select 1'), lost]);
      }
    } catch (thrown) {
      if (!signal.aborted) log.warn({ reason: String(thrown) }, 'The connection for news was lost');
    } finally {
      await client.end().catch(() => undefined);
    }
    if (!signal.aborted) await sleep(wait);
    wait = Math.min(wait * 2, BACKOFF.most);
  }
}
