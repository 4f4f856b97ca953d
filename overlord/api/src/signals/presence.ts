import { sql, type Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Schema } from '../db/schema.ts';

export interface PresencePorts {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
  readonly now: () => Date;
  /** Tells all replicas that these look different now. */
  readonly changed: (devices: readonly string[]) => void;
  /** Milliseconds for which comings and goings are gathered. */
  readonly pause: number;
  /** Milliseconds for which one that has gone may come back, with a new token or after our restart, and it is no news. */
  readonly away: number;
  /** Milliseconds for which the word of a replica holds that a stream is open; renewed three times meanwhile. */
  readonly lease: number;
}

/** Rows of one statement. */
const BATCH = 5_000;

/**
 * Who has an open stream at this replica, also in `device_status.connected_until`: a device that listens is online
 * between its check-ins, at every replica. If this one dies, its word runs out.
 */
export class Presence {
  private readonly ports: PresencePorts;
  /** Devices with a stream, and how many streams they have here: a newer one opens before the older has closed. */
  private readonly streams = new Map<string, number>();
  /** What the database has been told. */
  private readonly told = new Map<string, Date>();
  private readonly touched = new Set<string>();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  private writing: Promise<void> = Promise.resolve();

  constructor(ports: PresencePorts) {
    this.ports = ports;
  }

  connected(device: string): boolean {
    return this.streams.has(device);
  }

  come(device: string): void {
    this.streams.set(device, (this.streams.get(device) ?? 0) + 1);
    this.touch(device);
  }

  go(device: string): void {
    const left = (this.streams.get(device) ?? 1) - 1;
    if (left > 0) this.streams.set(device, left);
    else this.streams.delete(device);
    if (left === 0) setTimeout(() => this.touch(device), this.ports.away).unref();
  }

  /** To be called every third of the lease. */
  async renew(): Promise<void> {
    for (const device of this.streams.keys()) this.touched.add(device);
    await this.flush();
  }

  /** Writes what has changed; after it, the tables know. */
  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  /** The streams are being closed: the word for all runs out, unless they come back. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    for (const device of this.told.keys()) this.touched.add(device);
    this.streams.clear();
    await this.flush();
  }

  private touch(device: string): void {
    this.touched.add(device);
    if (this.timer !== null || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.flush();
    }, this.ports.pause);
    this.timer.unref();
  }

  private async write(): Promise<void> {
    const devices = [...this.touched].sort();
    this.touched.clear();
    const until = new Date(this.ports.now().getTime() + this.ports.lease);
    const here = devices.filter((device) => this.streams.has(device));
    const gone = devices.filter((device) => !this.streams.has(device) && this.told.has(device));
    const news = [...here.filter((device) => !this.told.has(device)), ...gone];
    try {
      for (let at = 0; at < here.length; at += BATCH) await this.hold(here.slice(at, at + BATCH), until);
      for (let at = 0; at < gone.length; at += BATCH) await this.release(gone.slice(at, at + BATCH));
      this.ports.changed(news);
    } catch (thrown) {
      for (const device of devices) this.touched.add(device);
      this.ports.log.warn({ reason: String(thrown) }, 'Presence of devices could not be written');
    }
  }

  private async hold(devices: readonly string[], until: Date): Promise<void> {
    await sql`update device_status set connected_until = ${until}
      where device_id = any(${devices}::uuid[])`.execute(this.ports.db);
    for (const device of devices) this.told.set(device, until);
  }

  /** Takes our own word back, but not that of another replica at which the device has come in meanwhile. */
  private async release(devices: readonly string[]): Promise<void> {
    const until = this.stopped ? new Date(this.ports.now().getTime() + this.ports.away) : null;
    const words = devices.map((device) => this.told.get(device) ?? new Date(0));
    await sql`update device_status set connected_until = ${until}
      from unnest(${devices}::uuid[], ${words}::timestamptz[]) as gone (device, word)
      where device_id = gone.device and connected_until <= gone.word`.execute(this.ports.db);
    for (const device of devices) this.told.delete(device);
  }
}
