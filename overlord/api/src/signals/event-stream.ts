import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';

export interface StreamOptions {
  /** Milliseconds between two comments that keep the connection alive. The client is told, in seconds: `: every 120`. */
  readonly heartbeat: number;
  /** Milliseconds after which a client that was cut may come back. */
  readonly retry: number;
  /** Milliseconds until the server ends the stream; the client comes back, and proves itself again. */
  readonly life: number;
}

/** One event of a stream. Nothing in it may hold a line break but through JSON, which has none. */
export interface StreamEvent {
  readonly id: string;
  readonly data: unknown;
}

/** Bytes that may wait for a client; one that takes less than it is sent is stuck or gone. */
const BACKLOG = 64 * 1024;
/** Longest delay of a timer (2^31 - 1 ms); longer ones would fire at once. */
const LONGEST_TIMER = 2_147_483_647;

/** A stream of server-sent events to one client (HTML standard, 9.2). It ends on either side, and says so once. */
export class EventStream {
  private readonly response: ServerResponse;
  private readonly beat: NodeJS.Timeout;
  private readonly end: NodeJS.Timeout;

  constructor(response: ServerResponse, { heartbeat, retry, life }: StreamOptions) {
    this.response = response;
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // nginx would hold events back to fill a buffer.
      'x-accel-buffering': 'no',
    });
    response.write(`: every ${heartbeat / 1_000}\nretry: ${retry}\n\n`);
    this.beat = setInterval(() => this.write(': beat\n\n'), heartbeat);
    this.end = setTimeout(() => this.close(), Math.min(Math.max(life, 0), LONGEST_TIMER));
    this.beat.unref();
    this.end.unref();
    // A reset by the peer is an end like any other.
    response.on('error', () => undefined);
    this.onEnd(() => {
      clearInterval(this.beat);
      clearTimeout(this.end);
    });
  }

  /** Calls back once when the stream has ended, whoever ended it; also when the client was gone before it began. */
  onEnd(listener: () => void): void {
    if (this.response.destroyed) queueMicrotask(listener);
    else this.response.once('close', listener);
  }

  send({ id, data }: StreamEvent): void {
    this.write(`id: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Ends it after what was sent. */
  close(): void {
    this.response.end();
  }

  /** Ends it without waiting for a client that may not be there any more. */
  drop(): void {
    this.response.destroy();
  }

  private write(text: string): void {
    if (this.response.writableEnded || this.response.destroyed) return;
    if (this.response.writableLength > BACKLOG) this.response.destroy();
    else this.response.write(text);
  }
}

/** Takes a reply out of Fastify's hands and makes it a stream. */
export function openStream(reply: FastifyReply, options: StreamOptions): EventStream {
  reply.hijack();
  return new EventStream(reply.raw, options);
}
