import { TOPICS, type Delta, type DeviceState, type Topic } from '@metrica-fleet/protocol/api';
import type { Logger } from 'pino';
import { STATES_LIMIT, type Change } from '../db/announce.ts';

export interface FeedPorts {
  readonly log: Logger;
  /** Sets the ids of this replica's deltas apart from those of others, and of its former lives. */
  readonly epoch: string;
  /** Milliseconds between two deltas, at least. */
  readonly pause: number;
  /** How devices stand now; those that are gone are left out. */
  readonly statesOf: (devices: readonly string[]) => Promise<readonly (readonly [string, DeviceState])[]>;
}

/** Somebody who looks at a screen. */
export type Watcher = (delta: Delta) => void;

/** Deltas that are remembered for those who come back. */
const REMEMBERED = 64;
/** Ids of one topic in one delta; more are «look at all». */
const MOST_IDS = 100;

/**
 * What dashboards are told: all changes of the last half second in one delta, coalesced by topic and id, made once for
 * all who watch. Who comes back and has missed more than is remembered is told that everything changed.
 */
export class DashboardFeed {
  private readonly ports: FeedPorts;
  private readonly watchers = new Set<Watcher>();
  private readonly past: Delta[] = [];
  private readonly changed = new Map<Topic, Set<string>>();
  private readonly devices = new Set<string>();
  private sequence = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(ports: FeedPorts) {
    this.ports = ports;
  }

  /** Begins to watch: first what was missed since the delta with the id `after`. Returns how to leave. */
  join(watcher: Watcher, after: string | null): () => void {
    watcher(this.missed(after));
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  count(): number {
    return this.watchers.size;
  }

  /** To be called for each change that is announced. */
  onChange({ topic, id }: Change): void {
    if (topic === 'signals' || topic === 'decisions') return;
    if (topic === 'states') {
      for (const device of id === '' ? [] : id.split(' ')) this.devices.add(device);
      // A device that looks different has usually told why.
      this.note('events', '');
      if (id === '' || this.devices.size > STATES_LIMIT) this.note('devices', '');
    } else {
      this.note(topic, id);
      if (topic === 'devices' && id !== '') this.devices.add(id);
    }
    this.schedule();
  }

  /** To be called after each gap in the news. */
  onGap(): void {
    for (const topic of TOPICS) this.note(topic, '');
    this.schedule();
  }

  private note(topic: Topic, id: string): void {
    const ids = this.changed.get(topic) ?? new Set<string>();
    if (id === '' || ids.has('') || ids.size >= MOST_IDS) this.changed.set(topic, new Set(['']));
    else this.changed.set(topic, ids.add(id));
  }

  private schedule(): void {
    if (this.timer !== null) return;
    this.timer = setTimeout(() => void this.tell(), this.ports.pause);
    this.timer.unref();
  }

  private async tell(): Promise<void> {
    const devices = [...this.devices].slice(0, STATES_LIMIT);
    const changed = [...this.changed].flatMap(([topic, ids]) => [...ids].map((id) => ({ topic, id })));
    this.devices.clear();
    this.changed.clear();
    let states: Delta['states'] = [];
    try {
      // Nobody watches: not worth a query. Who comes back later looks at all.
      if (this.watchers.size === 0 && devices.length > 0) changed.push({ topic: 'devices', id: '' });
      else if (devices.length > 0) {
        states = (await this.ports.statesOf(devices)).map(([id, state]) => [id, state]);
      }
    } catch (thrown) {
      this.ports.log.warn({ reason: String(thrown) }, 'The states of devices could not be read');
      changed.push({ topic: 'devices', id: '' });
    }
    this.timer = null;
    if (this.devices.size > 0 || this.changed.size > 0) this.schedule();
    this.sequence += 1;
    const delta: Delta = { id: this.idOf(this.sequence), states, changed };
    this.past.push(delta);
    if (this.past.length > REMEMBERED) this.past.shift();
    for (const watcher of this.watchers) watcher(delta);
  }

  /** One delta for all that happened after the one with this id. */
  private missed(after: string | null): Delta {
    const id = this.idOf(this.sequence);
    if (after === null || after === id) return { id, states: [], changed: [] };
    const index = this.past.findIndex((delta) => delta.id === after);
    if (index === -1) return { id, states: [], changed: TOPICS.map((topic) => ({ topic, id: '' })) };
    const since = this.past.slice(index + 1);
    const states = new Map(since.flatMap((delta) => delta.states));
    const changed = new Map(
      since.flatMap((delta) => delta.changed).map((one) => [`${one.topic} ${one.id}`, one]),
    );
    return { id, states: [...states], changed: [...changed.values()] };
  }

  private idOf(sequence: number): string {
    return `${this.ports.epoch}-${sequence}`;
  }
}
