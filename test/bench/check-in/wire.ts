import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { askAnew, Line, type Target } from './http.ts';
import type { Requests } from './load.ts';

/** Bytes of one check-in, both ways together, as TCP carries them: without the headers of packets. */
export interface OnTheWire {
  /** On a connection that stays open. */
  readonly kept: number;
  /** On a new connection with a full handshake. */
  readonly full: number;
  /** On a new connection that resumes a TLS session, as runs of the agent do. */
  readonly resumed: number;
}

/** Counted by a relay in front of the server. */
export async function bytesOnTheWire(target: Target, requests: Requests): Promise<OnTheWire> {
  const [keepAlive, close] = [requests.keepAlive[0], requests.close[0]];
  if (keepAlive === undefined || close === undefined) throw new RangeError('No requests');
  const relay = await Relay.before(target.port);
  const through = { ...target, port: relay.port };
  try {
    const line = await Line.open(through, null);
    await line.ask(keepAlive);
    const kept = await relay.counted(() => line.ask(keepAlive));
    line.close();
    let session: Buffer | null = null;
    const full = await relay.counted(async () => ({ session } = await askAnew(through, close, null)));
    const resumed = await relay.counted(() => askAnew(through, close, session));
    return { kept, full, resumed };
  } finally {
    await relay.close();
  }
}

/** Passes bytes on, and counts them. */
class Relay {
  readonly port: number;
  private readonly end: () => Promise<unknown>;
  private readonly count: () => number;

  private constructor(parts: { port: number; end: () => Promise<unknown>; count: () => number }) {
    this.port = parts.port;
    this.end = parts.end;
    this.count = parts.count;
  }

  static async before(port: number): Promise<Relay> {
    const open = new Set<Socket>();
    let bytes = 0;
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        open.add(from);
        from.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          to.write(chunk);
        });
        from.on('error', () => to.destroy());
        from.on('close', () => {
          open.delete(from);
          to.end();
        });
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const end = (): Promise<unknown> => {
      for (const socket of open) socket.destroy();
      server.close();
      return once(server, 'close');
    };
    return new Relay({ port: (server.address() as AddressInfo).port, end, count: () => bytes });
  }

  async counted(exchange: () => Promise<unknown>): Promise<number> {
    const before = this.count();
    await exchange();
    return this.count() - before;
  }

  close(): Promise<unknown> {
    return this.end();
  }
}
