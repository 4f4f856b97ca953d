import { setImmediate as nextTurn } from 'node:timers/promises';

export interface GroupOptions<Item, Result> {
  /** Writes all of them in one transaction and gives their results in the same order. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items in one transaction. */
  readonly most: number;
  /** Groups that are written at the same time. */
  readonly lanes: number;
  /** Items that may wait; more are refused. */
  readonly queue: number;
  readonly refuse: () => Error;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while a transaction is being written goes into the next one together. Alone, an item waits
 * for nothing; under load a flush of the disk serves hundreds. When a group fails, its items are tried one by one, so
 * that a poisoned one takes nobody with it.
 */
export class CommitGroup<Item, Result> {
  private readonly options: GroupOptions<Item, Result>;
  private waiting: Waiting<Item, Result>[] = [];
  private busy = 0;

  constructor(options: GroupOptions<Item, Result>) {
    this.options = options;
  }

  /** Resolves once the item is committed. Throws what `refuse` makes when too many wait. */
  submit(item: Item): Promise<Result> {
    if (this.waiting.length >= this.options.queue) return Promise.reject(this.options.refuse());
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      void this.drain();
    });
  }

  private async drain(): Promise<void> {
    if (this.busy >= this.options.lanes) return;
    this.busy += 1;
    try {
      // What arrived in the same turn of the event loop belongs together.
      await nextTurn();
      while (this.waiting.length > 0) await this.write(this.waiting.splice(0, this.options.most));
    } finally {
      this.busy -= 1;
    }
  }

  private async write(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.commit(group.map(({ item }) => item));
      for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
    } catch (thrown) {
      if (group.length === 1) group[0]?.reject(thrown);
      else for (const one of group) await this.write([one]);
    }
  }
}
