import { parse } from '@metrica-fleet/protocol';
import { ROUTES, SignalSchema } from '@metrica-fleet/protocol/api';
import type { Clock, Disk, Paths } from '@metrica-fleet/agent';
import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Chance } from '../random.ts';
import type { Uplink } from './uplink.ts';

export interface Listening {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly paths: Paths;
  readonly uplink: Uplink;
  readonly overlord: { readonly url: string; readonly ca: string | null };
  readonly chance: Chance;
  /** Seconds that pass on the device in one of the overlord's. */
  readonly speed: number;
}

/** Seconds until a stream that has ended is opened again, and until a token is looked for again. */
const PAUSE = { from: 5, to: 20 } as const;

/** Seconds between two heartbeats of an overlord that does not say, and for how long a heartbeat is good at most. */
const HEARTBEAT = 120;
const LONGEST_GOOD = 9_999;

/**
 * What `agent/debian/wake` does: holds the stream of signals of one device. Nothing in a signal is trusted, it touches the wake flag;
 * a heartbeat leaves in a file
 * when it came, and for how long it is good. Goes on until `stop` is called.
 */
export function listenToSignals(listening: Listening): () => void {
  const state: State = { stopped: false, request: null, last: null };
  const unplug = listening.uplink.onCut(() => state.request?.destroy());
  void keepListening(listening, state);
  return () => {
    state.stopped = true;
    unplug();
    state.request?.destroy();
  };
}

interface State {
  stopped: boolean;
  request: ClientRequest | null;
  /** Id of the last signal. */
  last: string | null;
}

async function keepListening(listening: Listening, state: State): Promise<void> {
  const { clock, disk, paths, uplink, chance } = listening;
  while (!state.stopped) {
    const token = (await disk.readText(paths.run.token))?.trim() ?? '';
    if (token !== '' && uplink.up) await listenOnce(listening, state, token);
    await clock.sleep(chance.between(PAUSE.from, PAUSE.to) * 1_000);
  }
}

/** One stream to its end; whatever ends it, it is opened again. */
async function listenOnce(listening: Listening, state: State, token: string): Promise<void> {
  try {
    const answer = await open(listening, state, token);
    if (answer.statusCode === 200) await follow(answer, listening, state);
    else answer.destroy();
    // The token is over: a run gets a new one.
    if (answer.statusCode === 401) await touch(listening);
  } catch {
    // As with curl: a stream that breaks off is one that has ended.
  }
  state.request = null;
}

function open({ overlord }: Listening, state: State, token: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${overlord.url}${ROUTES.deviceSignals.path}`);
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(state.last === null ? {} : { 'last-event-id': state.last }),
    };
    const sent =
      url.protocol === 'http:'
        ? plainRequest(url, { headers, agent: false })
        : tlsRequest(url, { headers, agent: false, ...(overlord.ca === null ? {} : { ca: overlord.ca }) });
    state.request = sent;
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end();
    if (state.stopped) sent.destroy();
  });
}

async function follow(answer: IncomingMessage, listening: Listening, state: State): Promise<void> {
  const { clock, disk, paths, speed } = listening;
  let every = HEARTBEAT;
  const beat = async (): Promise<void> => {
    const goodFor = Math.min((every * 2 + 1) * speed, LONGEST_GOOD);
    const content = `${Math.floor(clock.now().uptime)} ${goodFor}\n`;
    await disk.write('signals.beat', paths.run.beat, { content });
  };
  try {
    for await (const line of linesOf(answer)) {
      if (state.stopped) return;
      every = Number(/^: every (\d{1,4})$/.exec(line)?.[1] ?? every);
      if (line.startsWith(':')) await beat();
      else if (line.startsWith('id: ')) state.last = line.slice(4);
      else if (line.startsWith('data: ')) void wake(line.slice(6), listening);
    }
  } finally {
    // A stream that is not there keeps no device quiet.
    await disk.remove('signals.end', paths.run.beat);
  }
}

async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function wake(data: string, listening: Listening): Promise<void> {
  const splay = splayIn(data);
  if (splay === null) return;
  await listening.clock.sleep(listening.chance.next() * splay * 1_000);
  await touch(listening);
}

async function touch({ disk, paths }: Listening): Promise<void> {
  await disk.write('signals.wake', paths.run.wake, { content: '' });
}

function splayIn(data: string): number | null {
  try {
    return parse(SignalSchema, JSON.parse(data), { where: 'signal' }).splay;
  } catch {
    return null;
  }
}
