import type { Delta } from '@metrica-fleet/protocol/api';
import { ROUTES } from '@metrica-fleet/protocol/routes';
import { parseEvents } from './stream-parser.ts';

/**
 * Where the stream of changes stands. `live`: what is on the screen is now. `lost`: it is as of `asOf`; another try is
 * under way. `asOf` is when anything last arrived, heartbeats too. Milliseconds.
 */
export interface StreamState {
  readonly phase: 'connecting' | 'live' | 'lost';
  readonly asOf: number | null;
}

/** The overlord sends at least a heartbeat in this time; what is silent for longer is a dead connection. Milliseconds. */
const SILENCE = 45_000;
const RETRY_FIRST = 1_000;
const RETRY_LAST = 30_000;

export interface StreamPorts {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface StreamListener {
  readonly onState: (state: StreamState) => void;
  readonly onDelta: (delta: Delta) => void;
  /** Connected again after a gap that could not be filled: everything on the screen may be old. */
  readonly onGap: () => void;
  /** The session is over. */
  readonly onSignedOut: () => void;
}

/**
 * Follows the dashboard's stream until the signal aborts: reconnects with backoff and jitter, takes up after the last id.
 * Reads with fetch because an EventSource hides heartbeats (a dead connection looks live) and the status of a refusal.
 */
export async function followStream(
  ports: StreamPorts,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  const memory: Memory = { lastId: null, asOf: null, tries: 0 };
  while (!signal.aborted) {
    const ending = await readOnce(ports, listener, { memory, signal }).catch(() => 'lost' as const);
    if (signal.aborted) return;
    if (ending === 'signed-out') return listener.onSignedOut();
    listener.onState({ phase: 'lost', asOf: memory.asOf });
    const ceiling = Math.min(RETRY_LAST, RETRY_FIRST * 2 ** memory.tries);
    memory.tries += 1;
    await ports.sleep(ceiling / 2 + (ports.random() * ceiling) / 2, signal).catch(() => undefined);
  }
}

interface Memory {
  lastId: string | null;
  asOf: number | null;
  tries: number;
}

async function readOnce(
  { fetch, now, sleep }: StreamPorts,
  listener: StreamListener,
  { memory, signal }: { memory: Memory; signal: AbortSignal },
): Promise<'lost' | 'signed-out'> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const response = await deadline(
    fetch(ROUTES.stream.path, {
      credentials: 'same-origin',
      headers: {
        accept: 'text/event-stream',
        ...(memory.lastId === null ? {} : { 'last-event-id': memory.lastId }),
      },
      signal: either,
    }),
    { sleep, over },
  );
  if (response.status === 401) return 'signed-out';
  if (!response.ok || response.body === null) return 'lost';
  if (memory.tries > 0 || memory.asOf !== null) listener.onGap();
  memory.tries = 0;
  memory.asOf = now();
  listener.onState({ phase: 'live', asOf: memory.asOf });

  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  for (;;) {
    const { done, value } = await deadline(reader.read(), { sleep, over });
    if (done) return 'lost';
    memory.asOf = now();
    listener.onState({ phase: 'live', asOf: memory.asOf });
    const parsed = parseEvents(pending, value);
    pending = parsed.pending;
    for (const event of parsed.events) {
      memory.lastId = event.id ?? memory.lastId;
      listener.onDelta(JSON.parse(event.data) as Delta);
    }
  }
}

/** What comes within the silence that we allow; aborts the connection when nothing does. */
async function deadline<T>(
  promise: Promise<T>,
  { sleep, over }: { sleep: StreamPorts['sleep']; over: AbortController },
): Promise<T> {
  const arrived = new AbortController();
  const silence = sleep(SILENCE, arrived.signal).then(
    () => {
      over.abort();
      throw new Error('The stream is silent');
    },
    () => promise,
  );
  return Promise.race([promise, silence]).finally(() => arrived.abort());
}
