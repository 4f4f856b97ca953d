import type { Segment } from '@metrica-fleet/protocol/api';
import type { Kysely } from 'kysely';
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

/**
 * Every device of the fleet in memory, so that a check-in asks the database nothing about who it is from. Kept up to
 * date by announcements; a replica that has missed some loads all again.
 */
export class Registry {
  private readonly db: Kysely<Schema>;
  private devices = new Map<string, DeviceFacts>();

  constructor(db: Kysely<Schema>) {
    this.db = db;
  }

  get(id: string): DeviceFacts | undefined {
    return this.devices.get(id);
  }

  all(): IterableIterator<DeviceFacts> {
    return this.devices.values();
  }

  async loadAll(): Promise<void> {
    const rows = await this.select().execute();
    this.devices = new Map(rows.map((row) => [row.id, factsOf(row)]));
  }

  /** Reads one device again; it may have gone. */
  async load(id: string): Promise<void> {
    const row = await this.select().where('id', '=', id).executeTakeFirst();
    if (row === undefined) this.devices.delete(id);
    else this.devices.set(id, factsOf(row));
  }

  private select() {
    return this.db
      .selectFrom('devices')
      .select(['id', 'name', 'membership', 'epoch', 'role', 'site', 'segment', 'updates_off', 'conflict']);
  }
}

type Row = Omit<DeviceFacts, 'updatesOff'> & { readonly updates_off: boolean };

function factsOf({ updates_off, ...row }: Row): DeviceFacts {
  return { ...row, updatesOff: updates_off };
}
