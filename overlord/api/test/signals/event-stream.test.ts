import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { EventStream, type StreamOptions } from '../../src/signals/event-stream.ts';

const OPTIONS: StreamOptions = { heartbeat: 60_000, retry: 1_000, life: 60_000 };

/** A client on a socket of its own, that has asked, and the stream towards it. */
async function meet(
  options: StreamOptions,
): Promise<{ stream: EventStream; client: Socket; ended: () => boolean; close: () => void }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  const stream = new EventStream(response, options);
  let over = false;
  stream.onEnd(() => (over = true));
  const close = (): void => {
    client.destroy();
    server.close();
  };
  return { stream, client, ended: () => over, close };
}

it('cuts a client that does not read, however much there is to say', async () => {
  const { stream, client, ended, close } = await meet(OPTIONS);
  client.pause();
  const data = 'x'.repeat(16 * 1024);
  let sent = 0;
  for (; !ended(); sent += 1) {
    stream.send({ id: String(sent), data });
    await sleep(0);
  }
  expect(sent * data.length).toBeLessThan(64 * 1024 * 1024);
  close();
});

it('says that it has ended when the client goes away, once, and sends into nowhere without harm', async () => {
  const { stream, client, ended, close } = await meet(OPTIONS);
  client.destroy();
  while (!ended()) await sleep(5);
  stream.send({ id: '1', data: null });
  stream.close();
  let late = 0;
  stream.onEnd(() => (late += 1));
  await sleep(20);
  expect(late).toBe(1);
  close();
});

it('ends by itself after its life, and bears one of a month', async () => {
  const short = await meet({ ...OPTIONS, life: 10 });
  while (!short.ended()) await sleep(5);
  const long = await meet({ ...OPTIONS, life: 31 * 24 * 3_600_000 });
  await sleep(50);
  expect(long.ended()).toBe(false);
  short.close();
  long.close();
});
