import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { announce, STATES_LIMIT } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';

export interface DeviceNewsPorts {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
  /** Milliseconds between two pieces of news. */
  readonly pause: number;
}

/**
 * Tells all replicas which devices may look different now: a few at a time by name, many at once as «look at all».
 * Beside the check-in and after its commit, since each NOTIFY takes a lock that is one for the whole server.
 */
export class DeviceNews {
  private readonly ports: DeviceNewsPorts;
  private readonly waiting = new Set<string>();
  private timer: NodeJS.Timeout | null = null;

  constructor(ports: DeviceNewsPorts) {
    this.ports = ports;
  }

  changed(devices: readonly string[]): void {
    // Beyond the limit the names are of no use.
    for (const device of devices) if (this.waiting.size <= STATES_LIMIT) this.waiting.add(device);
    if (devices.length === 0 || this.timer !== null) return;
    this.timer = setTimeout(() => void this.tell(), this.ports.pause);
    this.timer.unref();
  }

  private async tell(): Promise<void> {
    const { db, log } = this.ports;
    const devices = this.waiting.size > STATES_LIMIT ? '' : [...this.waiting].join(' ');
    this.waiting.clear();
    this.timer = null;
    try {
      await announce(db, 'states', devices);
    } catch (thrown) {
      log.warn({ reason: String(thrown) }, 'News of devices could not be told');
    }
  }
}
