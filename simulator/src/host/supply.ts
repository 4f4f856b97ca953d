/** The power of one boot. Once it is off it stays off: the next boot has a supply of its own. */
export class Supply {
  private current = true;
  private readonly listeners = new Set<() => void>();

  get on(): boolean {
    return this.current;
  }

  cut(): void {
    this.current = false;
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }

  /** Calls back once, when the power goes. What it returns takes that back. */
  onCut(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * A port that works as long as there is power. What is under way when the power goes is done or not done, and its
   * caller never hears of it: as on a device, nothing runs on.
   */
  feeds<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name): unknown => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          const result: unknown = this.current ? method.apply(target, args) : never();
          return result instanceof Promise ? this.awaited(result) : result;
        };
      },
    });
  }

  /** Pieces that come as long as there is power. */
  async *flow(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      if (!this.current) await never();
      yield piece;
    }
  }

  private async awaited(result: Promise<unknown>): Promise<unknown> {
    try {
      const value = await result;
      return this.current ? value : await never();
    } catch (thrown) {
      if (!this.current) await never();
      throw thrown;
    }
  }
}

/** Nobody waits for it when the power is off, so that it costs no memory either. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}
