import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseEvents } from '../src/api/stream-parser.ts';
import { followStream, type StreamPorts } from '../src/api/stream.ts';

it('cuts events out of text that arrives in any pieces', () => {
  const text = ':hello\n\nid: 7\ndata: {"a":1}\n\ndata: x\ndata: y\r\n\r\nid: 8\nda';
  const whole = parseEvents('', text);
  expect(whole).toEqual({
    events: [
      { id: '7', data: '{"a":1}' },
      { id: null, data: 'x\ny' },
    ],
    pending: 'id: 8\nda',
  });
  const pieces = text.split('').reduce<ReturnType<typeof parseEvents>>(
    (former, piece) => {
      const { events, pending } = parseEvents(former.pending, piece);
      return { events: [...former.events, ...events], pending };
    },
    { events: [], pending: '' },
  );
  expect(pieces.events).toEqual(whole.events);
});

let server: Server;
/** What the overlord of a test does with each connection, in turn. */
let answers: ((response: ServerResponse, lastId: string | undefined) => void)[];
beforeEach(async () => {
  answers = [];
  server = createServer((request, response) => {
    const lastId = request.headers['last-event-id'];
    answers.shift()?.(response, typeof lastId === 'string' ? lastId : undefined);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Real fetch and a real server; every wait is a thousand times shorter, so that silence of 45 s is 45 ms. */
function ports(): StreamPorts {
  const { port } = server.address() as AddressInfo;
  return {
    fetch: async (path, init) =>
      fetch(new URL(path instanceof Request ? path.url : path, `http://127.0.0.1:${port}`), init),
    now: Date.now,
    random: () => 0.5,
    sleep: async (milliseconds, signal) => sleep(milliseconds / 100, undefined, { signal }),
  };
}

const DELTA = (id: string) => `id: ${id}\ndata: ${JSON.stringify({ id, states: [], changed: [] })}\n\n`;

async function follow(until: (heard: readonly string[]) => boolean): Promise<readonly string[]> {
  const heard: string[] = [];
  const leaving = new AbortController();
  const hear = (text: string) => {
    if (heard.at(-1) !== text) heard.push(text);
    if (until(heard)) leaving.abort();
  };
  await followStream(
    ports(),
    {
      onState: ({ phase }) => hear(phase),
      onDelta: ({ id }) => hear(`delta ${id}`),
      onGap: () => hear('gap'),
      onSignedOut: () => hear('signed out'),
    },
    leaving.signal,
  );
  return heard;
}

it('takes up after the last event when the connection breaks, and says that there may be a gap', async () => {
  const asked: (string | undefined)[] = [];
  answers = [
    (response, lastId) => {
      asked.push(lastId);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(DELTA('a'), () => setTimeout(() => response.destroy(), 20));
    },
    (response, lastId) => {
      asked.push(lastId);
      response.writeHead(200).write(DELTA('b'));
    },
  ];
  const heard = await follow((all) => all.includes('delta b'));
  expect(heard).toEqual(['live', 'delta a', 'lost', 'gap', 'live', 'delta b']);
  expect(asked).toEqual([undefined, 'a']);
});

it('takes a connection that has gone silent for a dead one', async () => {
  answers = [
    (response) => response.writeHead(200).write(': hello\n\n'),
    (response) => response.writeHead(200).write(DELTA('c')),
  ];
  expect(await follow((all) => all.includes('delta c'))).toEqual(['live', 'lost', 'gap', 'live', 'delta c']);
});

it('ends when the session is over, and tries again when the overlord is not well', async () => {
  answers = [(response) => response.writeHead(503).end(), (response) => response.writeHead(401).end()];
  expect(await follow(() => false)).toEqual(['lost', 'signed out']);
});
