import type { Signal } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Schema } from '../db/schema.ts';

export interface HubPorts {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
  /**
   * Resolves when this replica decides by all that was committed before: a device that is woken asks at once, and must
   * not be told that nothing has changed.
   */
  readonly ready: () => Promise<void>;
}

/** Where the signals of one device go. */
export interface Subscriber {
  readonly device: string;
  /** Id of the last signal that it has; null when it does not say. */
  readonly after: number | null;
  readonly send: (signal: Signal) => void;
}

interface Stream extends Subscriber {
  /** Signals up to this one have been sent. */
  sent: number;
}

interface SignalRow {
  readonly id: string;
  readonly device_id: string;
  readonly reason: Signal['reason'];
  readonly splay: number;
}

/** Rows that are read at once. */
const BATCH = 5_000;

/**
 * Fans signals out to the devices that listen at this replica, and catches up those that come back. A signal is a
 * wake-up and nothing else, so a later one stands for those before it: what is never lost is that a device was to wake.
 */
export class SignalHub {
  private readonly ports: HubPorts;
  private readonly streams = new Map<string, Stream>();
  private arriving: Stream[] = [];
  private cursor = 0;
  private fanning: Promise<void> | null = null;
  private again = false;
  private catching = false;

  constructor(ports: HubPorts) {
    this.ports = ports;
  }

  /** Starts after what has been signalled so far; devices that come are caught up by themselves. */
  async begin(): Promise<void> {
    const { rows } = await sql<{ last: string | null }>`select max(id) as last from signals`.execute(
      this.ports.db,
    );
    this.cursor = Number(rows[0]?.last ?? 0);
  }

  /** Adds a device's stream; from now on it gets what comes, and soon what it has missed. Returns how to leave. */
  join(subscriber: Subscriber): () => void {
    const stream: Stream = { ...subscriber, sent: subscriber.after ?? 0 };
    this.streams.set(stream.device, stream);
    this.arriving.push(stream);
    void this.catchUp();
    return () => {
      if (this.streams.get(stream.device) === stream) this.streams.delete(stream.device);
    };
  }

  /** To be called for each change of `signals`, and after each gap in the news. */
  async fanOut(): Promise<void> {
    this.again = true;
    this.fanning ??= this.fanOutAll();
    return this.fanning;
  }

  private async fanOutAll(): Promise<void> {
    const { db, log, ready } = this.ports;
    while (this.again) {
      this.again = false;
      try {
        await ready();
        for (let full = true; full;) {
          const rows = await db
            .selectFrom('signals')
            .select(['id', 'device_id', 'reason', 'splay'])
            .where('id', '>', String(this.cursor))
            .orderBy('id')
            .limit(BATCH)
            .execute();
          this.deliver(rows);
          this.cursor = Number(rows.at(-1)?.id ?? this.cursor);
          full = rows.length === BATCH;
        }
      } catch (thrown) {
        log.warn({ reason: String(thrown) }, 'Signals could not be read; the next ones bring them along');
      }
    }
    this.fanning = null;
  }

  /** Those that came in the same turn are caught up by one query: after a restart everybody comes at once. */
  private async catchUp(): Promise<void> {
    if (this.catching) return;
    this.catching = true;
    try {
      await nextTurn();
      while (this.arriving.length > 0) await this.catchUpThese(this.arriving.splice(0, BATCH));
    } finally {
      this.catching = false;
    }
  }

  private async catchUpThese(streams: readonly Stream[]): Promise<void> {
    try {
      // Who does not know its last id has seen what was there at its last check-in; a minute more, because a signal is
      // as old as its transaction.
      const { rows } = await sql<SignalRow>`
        select signals.id, signals.device_id, signals.reason, signals.splay
        from unnest(
          ${streams.map(({ device }) => device)}::uuid[], ${streams.map(({ after }) => after)}::bigint[]
        ) as came (device, after)
        left join device_status on device_status.device_id = came.device
        join signals on signals.device_id = came.device and (
          signals.id > came.after
          or came.after is null
            and signals.created_at > coalesce(device_status.seen_at - interval '1 minute', '-infinity'))
        order by signals.id`.execute(this.ports.db);
      this.deliver(rows);
    } catch (thrown) {
      this.ports.log.warn(
        { reason: String(thrown) },
        'Devices could not be caught up; their next check-in does it',
      );
    }
  }

  /** One wake-up per device, the last: it stands for all before it. */
  private deliver(rows: readonly SignalRow[]): void {
    const last = new Map<string, SignalRow>();
    for (const row of rows) if (this.streams.has(row.device_id)) last.set(row.device_id, row);
    for (const { id, device_id, reason, splay } of last.values()) {
      const stream = this.streams.get(device_id);
      if (stream === undefined || Number(id) <= stream.sent) continue;
      stream.sent = Number(id);
      stream.send({ id, reason, splay });
    }
  }
}

/** Forgets signals that are a day old: whoever was away for so long has checked in since, or does when it comes. */
export async function forgetSignals(db: Kysely<Schema>): Promise<void> {
  await sql`delete from signals where created_at < now() - interval '1 day'`.execute(db);
}
