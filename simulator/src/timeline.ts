/** A call that is to come. */
interface Waiting {
  readonly at: number;
  /** Of two at the same time, the one that was asked for first comes first. */
  readonly order: number;
  call: (() => void) | null;
}

/** Milliseconds of ours between two looks at what is due. */
const TICK = 10;
/**
 * No more than this passes between two looks, in our milliseconds. When this machine is busy, time on the devices slows
 * down instead of leaping past their deadlines: what they see is a host that keeps up.
 */
const LONGEST_LEAP = 50;

/** The time that all simulated devices share. It passes `speed` times as quickly as ours. */
export class Timeline {
  /** Seconds that pass here in one of ours. */
  readonly speed: number;
  private readonly heap: Waiting[] = [];
  private readonly timer: NodeJS.Timeout;
  private elapsed = 0;
  private looked: number;
  private orders = 0;

  constructor(speed: number) {
    this.speed = speed;
    this.looked = performance.now();
    this.timer = setInterval(() => this.look(), TICK);
  }

  /** Seconds since it began. */
  now(): number {
    return this.elapsed;
  }

  /** Calls back in that many seconds. What it returns takes it back. */
  after(seconds: number, call: () => void): () => void {
    const waiting: Waiting = { at: this.elapsed + Math.max(0, seconds), order: this.orders, call };
    this.orders += 1;
    this.push(waiting);
    return () => {
      waiting.call = null;
    };
  }

  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(seconds, resolve);
    });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    const until = this.elapsed + (Math.min(now - this.looked, LONGEST_LEAP) * this.speed) / 1_000;
    this.looked = now;
    for (let [next] = this.heap; next !== undefined && next.at <= until; [next] = this.heap) {
      this.pop();
      // Each sees its own moment, so that what follows from it is in order too.
      this.elapsed = next.at;
      next.call?.();
    }
    this.elapsed = until;
  }

  private push(waiting: Waiting): void {
    let at = this.heap.length;
    this.heap.push(waiting);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const smaller = this.isBefore(left + 1, left) ? left + 1 : left;
      if (!this.isBefore(smaller, at)) return;
      this.swap(at, smaller);
      at = smaller;
    }
  }

  private isBefore(one: number, other: number): boolean {
    const [a, b] = [this.heap[one], this.heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.heap[one], this.heap[other]];
    if (a === undefined || b === undefined) return;
    this.heap[one] = b;
    this.heap[other] = a;
  }
}
