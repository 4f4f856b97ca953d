import { FleetError } from '@metrica-fleet/protocol';
import type { Http, HttpReply, HttpRequest } from '@metrica-fleet/agent';

/** How a device is connected: a cable that can be pulled, and a line that may lose requests. */
export class Uplink {
  private readonly loses: () => boolean;
  private current = true;
  private readonly listeners = new Set<() => void>();

  /** `loses` says of each request whether the line swallows it. */
  constructor(loses: () => boolean) {
    this.loses = loses;
  }

  get up(): boolean {
    return this.current;
  }

  cut(): void {
    this.current = false;
    for (const listener of this.listeners) listener();
  }

  restore(): void {
    this.current = true;
  }

  /** Calls back whenever the cable is pulled. What it returns takes that back. */
  onCut(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Real requests, as far as this line lets them pass. */
  carries(http: Http): Http {
    return {
      send: async (request) => {
        if (!this.current) throw unreachable(request, 'connect ENETUNREACH');
        if (this.loses()) throw unreachable(request, 'read ECONNRESET');
        const reply = await this.untilCut(http.send(request), request);
        return { ...reply, body: this.body(reply, request) };
      },
    };
  }

  private async untilCut<T>(answer: Promise<T>, request: HttpRequest): Promise<T> {
    let leave = (): void => undefined;
    const cut = new Promise<never>((_resolve, reject) => {
      leave = this.onCut(() => reject(unreachable(request, 'read ETIMEDOUT')));
    });
    try {
      return await Promise.race([answer, cut]);
    } finally {
      leave();
    }
  }

  private async *body({ body }: HttpReply, request: HttpRequest): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      if (!this.current) throw unreachable(request, 'read ETIMEDOUT');
      yield chunk;
    }
  }
}

function unreachable({ url }: HttpRequest, reason: string): FleetError {
  return new FleetError({
    code: 'source-unreachable',
    what: `It cannot be reached: ${reason}`,
    where: new URL(url).origin,
    remedy: 'What runs keeps running; the next run asks again.',
  });
}
