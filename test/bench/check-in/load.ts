import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAnew, Line, type Reply, type Target } from './http.ts';

/**
 * How a check-in travels: on a connection that stays open; on a new one with a resumed TLS session, as runs of the agent
 * do; on a new one with a full handshake.
 */
export type Way = 'kept' | 'resumed' | 'full';

/** Check-ins that can be sent over and over, each of another device. */
export interface Requests {
  readonly keepAlive: readonly Buffer[];
  readonly close: readonly Buffer[];
}

export interface LoadOptions {
  readonly way: Way;
  /** Connections at a time. */
  readonly connections: number;
  /** Milliseconds that count, after `warm` that do not. */
  readonly time: number;
  readonly warm: number;
  /** Check-ins per second; null: as many as are answered. */
  readonly pace: number | null;
  /** Called when the counting begins. */
  readonly begin: () => void;
}

/** What was answered in the time. Anything but 200 throws. */
export interface Answered {
  readonly perSecond: number;
  readonly count: number;
  /** Milliseconds from the moment a check-in was due to its whole answer, ascending. */
  readonly latencies: readonly number[];
}

/** One after the other on each connection, all connections at once. */
export async function load(target: Target, requests: Requests, options: LoadOptions): Promise<Answered> {
  const { way, connections, time, warm, pace, begin } = options;
  const due = pace === null ? now : clockwork(pace);
  const latencies: number[] = [];
  const start = performance.now() + warm;
  const end = start + time;
  let turn = 0;
  const one = async (): Promise<void> => {
    const asker = await askerOf(way, target);
    for (;;) {
      const at = due();
      if (at > performance.now()) await sleep(at - performance.now());
      if (performance.now() >= end) break;
      const reply = await asker.ask(requests, turn++);
      if (reply.status !== 200) throw new Error(`A check-in was answered ${reply.status}: ${reply.text}`);
      const done = performance.now();
      if (done >= start && done < end) latencies.push(done - at);
    }
    asker.close();
  };
  const all = Array.from({ length: connections }, one);
  const counting = sleep(warm).then(begin);
  await Promise.all([...all, counting]);
  latencies.sort((a, b) => a - b);
  return { perSecond: (latencies.length / time) * 1_000, count: latencies.length, latencies };
}

function now(): number {
  return performance.now();
}

/** The moments at which check-ins are due, in turn, whoever asks. */
function clockwork(pace: number): () => number {
  const start = performance.now();
  let count = 0;
  return () => start + (count++ * 1_000) / pace;
}

interface Asker {
  ask(requests: Requests, turn: number): Promise<Reply>;
  close(): void;
}

async function askerOf(way: Way, target: Target): Promise<Asker> {
  if (way === 'kept') {
    const line = await Line.open(target, null);
    const ask = ({ keepAlive }: Requests, turn: number): Promise<Reply> => line.ask(nth(keepAlive, turn));
    return { ask, close: () => line.close() };
  }
  let session: Buffer | null = null;
  return {
    async ask({ close }, turn) {
      const reply = await askAnew(target, nth(close, turn), session);
      if (way === 'resumed') session = reply.session;
      return reply;
    },
    close: () => undefined,
  };
}

function nth(requests: readonly Buffer[], turn: number): Buffer {
  const request = requests[turn % requests.length];
  if (request === undefined) throw new RangeError('No requests');
  return request;
}

/** Of ascending values: the one that `share` of them do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const value = values[Math.min(values.length - 1, Math.floor(values.length * share))];
  if (value === undefined) throw new RangeError('No values, no quantile');
  return value;
}
