import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import type { DashboardFeed } from './dashboard-feed.ts';
import { openStream } from './event-stream.ts';

interface Ports {
  readonly feed: DashboardFeed;
  /** Milliseconds. */
  readonly heartbeat: number;
}

/** A browser comes back by itself after so long. Milliseconds. */
const RETRY = 2_000;
/** Then it must come back and show its session again: one that was ended watches no longer than this. Milliseconds. */
const LIFE = 15 * 60_000;
/** Screens at one replica. */
const MOST = 1_000;

/** The stream by which dashboards stay up to date. */
export function streamRoutes({ feed, heartbeat }: Ports): HandlersOf<'stream'> {
  return {
    stream: ({ request, reply }) => {
      if (feed.count() >= MOST) {
        throw new ApiError('unavailable', `${MOST} dashboards are open already`, { remedy: 'Close some.' });
      }
      const given = request.headers['last-event-id'];
      const stream = openStream(reply, { heartbeat, retry: RETRY, life: LIFE });
      const leave = feed.join(
        (delta) => stream.send({ id: delta.id, data: delta }),
        typeof given === 'string' ? given : null,
      );
      stream.onEnd(leave);
      return undefined;
    },
  };
}
