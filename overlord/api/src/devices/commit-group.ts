import { performance } from 'node:perf_hooks';

/** How much is taken at once. */
interface Bounds {
  readonly items: number;
  readonly bytes: number;
}

export interface GroupOptions<Item, Result> {
  /** Writes all of them in one transaction and gives their results in the same order. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Bytes of memory that an item holds, about. */
  readonly weigh: (item: Item) => number;
  /** What goes into one transaction. */
  readonly group: Bounds;
  /** Groups that are written at the same time. */
  readonly lanes: number;
  /**
   * A group begins so many milliseconds after the one before, or when so many items wait: a transaction costs as much as
   * dozens of items.
   */
  readonly pace: { readonly time: number; readonly items: number };
  /** What may wait; more is refused. */
  readonly queue: Bounds;
  readonly refuse: () => Error;
  /**
   * What all of a group are told when a commit failed for none of their faults, as when the database is gone; null when
   * one of the items may be to blame.
   */
  readonly noFaultOfItems: (thrown: unknown) => Error | null;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly bytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while a transaction is being written goes into the next one together. Alone, an item waits
 * for nothing; when more come, one transaction serves all of the next few milliseconds, and one flush of the disk
 * hundreds. A group that fails is tried again in halves down to the single item, so that a poisoned one takes nobody with
 * it.
 */
export class CommitGroup<Item, Result> {
  private readonly options: GroupOptions<Item, Result>;
  private readonly waiting: Waiting<Item, Result>[] = [];
  private bytes = 0;
  private busy = 0;
  /** When the next group may begin. */
  private next = 0;
  /** Has the group that gathers begin now; null while none gathers. */
  private hurry: (() => void) | null = null;

  constructor(options: GroupOptions<Item, Result>) {
    this.options = options;
  }

  /** Resolves once the item is committed. Throws what `refuse` makes when too many wait. */
  submit(item: Item): Promise<Result> {
    const { queue, refuse, weigh } = this.options;
    const bytes = weigh(item);
    if (this.waiting.length >= queue.items || this.bytes + bytes > queue.bytes)
      return Promise.reject(refuse());
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, bytes, resolve, reject });
      this.bytes += bytes;
      if (this.hurry === null) void this.drain();
      else if (this.waiting.length >= this.options.pace.items) this.hurry();
    });
  }

  private async drain(): Promise<void> {
    if (this.busy >= this.options.lanes || this.hurry !== null) return;
    this.busy += 1;
    try {
      do {
        await this.gather();
        const group = this.take();
        // What is left, another lane may take.
        if (this.waiting.length > 0) void this.drain();
        if (group.length > 0) await this.write(group);
      } while (this.waiting.length > 0 && this.hurry === null);
    } finally {
      this.busy -= 1;
    }
  }

  /** What arrived in the same turn of the event loop belongs together, and what arrives until the next may begin. */
  private async gather(): Promise<void> {
    const { time, items } = this.options.pace;
    const early = this.next - performance.now();
    await new Promise<void>((resolve) => {
      if (early <= 0 || this.waiting.length >= items) {
        this.hurry = () => undefined;
        setImmediate(resolve);
        return;
      }
      const timer = setTimeout(resolve, early);
      this.hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.hurry = null;
    this.next = performance.now() + time;
  }

  /** The next group: at least one, however heavy. */
  private take(): readonly Waiting<Item, Result>[] {
    const { items, bytes: most } = this.options.group;
    let bytes = 0;
    let count = 0;
    for (const one of this.waiting) {
      if (count === items || (count > 0 && bytes + one.bytes > most)) break;
      bytes += one.bytes;
      count += 1;
    }
    this.bytes -= bytes;
    return this.waiting.splice(0, count);
  }

  private async write(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.commit(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
    } catch (thrown) {
      const told = this.options.noFaultOfItems(thrown) ?? (group.length === 1 ? thrown : null);
      if (told === null) {
        const half = Math.ceil(group.length / 2);
        await this.write(group.slice(0, half));
        await this.write(group.slice(half));
      } else for (const { reject } of group) reject(told);
    }
  }
}
