import type { Segment } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Schema } from '../db/schema.ts';

/** What every decision about a device needs, and what seldom changes. */
export interface DeviceFacts {
  readonly id: string;
  readonly name: string;
  readonly membership: 'waiting' | 'active' | 'revoked';
  readonly epoch: number;
  readonly role: string | null;
  readonly site: string | null;
  readonly segment: Segment;
  readonly updatesOff: boolean;
  readonly conflict: boolean;
}

export interface RegistryPorts {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
  /** Ends the tries after a reading that failed. */
  readonly signal: AbortSignal;
}

/** Pause after a reading that failed. Milliseconds. */
const PAUSE = 500;
/** More changes at once than this, and reading everything is the shorter way. */
const SINGLES = 1_000;

/**
 * Every device of the fleet in memory, so that a check-in asks the database nothing about who it is from. Kept up to
 * date by announcements; a replica that has missed some reads all again.
 */
export class Registry {
  private readonly ports: RegistryPorts;
  private devices = new Map<string, DeviceFacts>();
  private readonly asked = new Set<string>();
  private askedAll = false;
  private reading: Promise<void> = Promise.resolve();
  private next: Promise<void> | null = null;

  constructor(ports: RegistryPorts) {
    this.ports = ports;
  }

  get(id: string): DeviceFacts | undefined {
    return this.devices.get(id);
  }

  all(): IterableIterator<DeviceFacts> {
    return this.devices.values();
  }

  /**
   * Reads a device again, or without `id` (or with an empty one, as an announcement about several has it) all of them.
   * Resolves once everything that was committed before the call is known, or when `signal` aborts: a reading that fails
   * is tried again. One reading at a time, so that an older answer never covers a newer one; what is asked meanwhile
   * is the next.
   */
  refresh(id?: string): Promise<void> {
    if (id === undefined || id === '') this.askedAll = true;
    else this.asked.add(id);
    this.next ??= this.reading.then(() => {
      this.next = null;
      this.reading = this.read();
      return this.reading;
    });
    return this.next;
  }

  private async read(): Promise<void> {
    const { log, signal } = this.ports;
    const all = this.askedAll || this.asked.size > SINGLES;
    const ids = [...this.asked];
    this.askedAll = false;
    this.asked.clear();
    while (!signal.aborted) {
      try {
        const rows = await this.select(all ? null : ids);
        if (all) this.devices = new Map(rows.map((row) => [row.id, row]));
        else this.replace(ids, rows);
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        log.warn({ reason: String(thrown) }, 'The devices could not be read; it is tried again');
        await sleep(PAUSE, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Those that were asked for and are not there any more have gone. */
  private replace(ids: readonly string[], rows: readonly DeviceFacts[]): void {
    for (const id of ids) this.devices.delete(id);
    for (const row of rows) this.devices.set(row.id, row);
  }

  private async select(ids: readonly string[] | null): Promise<readonly DeviceFacts[]> {
    return this.ports.db
      .selectFrom('devices')
      .select(['id', 'name', 'membership', 'epoch', 'role', 'site', 'segment', 'conflict'])
      .select('updates_off as updatesOff')
      .$if(ids !== null, (builder) => builder.where(sql<boolean>`id = any(${ids}::uuid[])`))
      .execute();
  }
}
