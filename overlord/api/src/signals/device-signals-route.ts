import type { FastifyRequest } from 'fastify';
import type { HandlersOf } from '../server/handler.ts';
import { openStream, type EventStream } from './event-stream.ts';
import type { Presence } from './presence.ts';
import type { SignalHub } from './signal-hub.ts';

interface Ports {
  readonly hub: SignalHub;
  readonly presence: Presence;
  readonly streams: DeviceStreams;
  readonly now: () => Date;
  /** Milliseconds, for a device that asks for none. */
  readonly heartbeat: number;
}

/** Milliseconds after which a device that was cut comes back; it adds a splay of its own. */
const RETRY = 10_000;
/** Whatever a role asks for: shorter is dear for us, longer is no sign of life. Milliseconds. */
const HEARTBEAT = { shortest: 10_000, longest: 3_600_000 };
const EVENT_ID = /^\d{1,15}$/;

/** The open streams of devices at this replica, one a device. */
export class DeviceStreams {
  private readonly open = new Map<string, EventStream>();

  /** A newer stream ends the older: the device has lost that, or would not have come again. What it missed comes again. */
  add(device: string, stream: EventStream): void {
    this.open.get(device)?.drop();
    this.open.set(device, stream);
    stream.onEnd(() => {
      if (this.open.get(device) === stream) this.open.delete(device);
    });
  }

  /** Closes the stream of a device, if there is one: it was revoked. */
  close(device: string): void {
    this.open.get(device)?.close();
  }

  has(device: string): boolean {
    return this.open.has(device);
  }

  devices(): readonly string[] {
    return [...this.open.keys()];
  }

  /** Closes all: the overlord stops. */
  closeAll(): void {
    for (const stream of this.open.values()) stream.close();
  }
}

/** The stream on which a device waits to be woken. It ends with the device's token. */
export function deviceSignalRoutes({
  hub,
  presence,
  streams,
  now,
  heartbeat,
}: Ports): HandlersOf<'deviceSignals'> {
  return {
    deviceSignals: ({ caller, query, request, reply }) => {
      const life = caller.expires.getTime() - now().getTime();
      const asked = query.heartbeat === undefined ? heartbeat : within(query.heartbeat * 1_000);
      const stream = openStream(reply, { heartbeat: asked, retry: RETRY, life });
      const device = caller.id;
      streams.add(device, stream);
      presence.come(device);
      const leave = hub.join({
        device,
        after: lastEventId(request),
        send: (signal) => stream.send({ id: signal.id, data: signal }),
      });
      stream.onEnd(() => {
        leave();
        presence.go(device);
      });
      return undefined;
    },
  };
}

function within(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, HEARTBEAT.shortest), HEARTBEAT.longest);
}

function lastEventId({ headers }: FastifyRequest): number | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && EVENT_ID.test(id) ? Number(id) : null;
}
