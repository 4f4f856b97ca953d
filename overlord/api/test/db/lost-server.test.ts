import { sql } from 'kysely';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { announce, type Change } from '../../src/db/announce.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { startEmbedded, type Embedded } from '../../src/db/embedded/embedded.ts';
import { listen } from '../../src/db/listen.ts';
import { SILENT } from '../postgres.ts';
import { eventually } from './overlord-process.ts';

let folder: string;
let embedded: Embedded;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-lost-'));
  await chmod(folder, 0o711);
  embedded = await startEmbedded({ folder, log: SILENT });
}, 60_000);
afterAll(async () => {
  await embedded.stop();
  await rm(folder, { recursive: true });
}, 60_000);

let stop: AbortController;
let database: Database;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await database.close();
});

it('queries and news are back after the server was killed, and the gap is told', async () => {
  database = openDatabase({ url: embedded.url, log: SILENT });
  const { db } = database;
  const heard: Change[] = [];
  const gaps: number[] = [];
  const listening = listen(
    embedded.url,
    { onChange: (change) => heard.push(change), onGap: () => gaps.push(heard.length) },
    { log: SILENT, signal: stop.signal },
  );
  await eventually(() => Promise.resolve(expect(gaps).toEqual([0])));
  await announce(db, 'devices', 'before');
  await eventually(() => Promise.resolve(expect(heard).toHaveLength(1)));

  const killed = embedded.pid();
  process.kill(killed, 'SIGKILL');
  await eventually(() => announce(db, 'devices', 'lost or heard'));
  await eventually(() => Promise.resolve(expect(gaps).toHaveLength(2)));
  await announce(db, 'devices', 'after');
  await eventually(() => Promise.resolve(expect(heard.at(-1)).toEqual({ topic: 'devices', id: 'after' })));
  // The new server answers a moment before its supervisor knows that it does.
  await eventually(() => Promise.resolve(expect(embedded.pid()).not.toBe(killed)));

  stop.abort();
  await listening;
});

it('news that is none is passed over', async () => {
  database = openDatabase({ url: embedded.url, log: SILENT });
  const heard: Change[] = [];
  const gaps: true[] = [];
  const listening = listen(
    embedded.url,
    { onChange: (change) => heard.push(change), onGap: () => void gaps.push(true) },
    { log: SILENT, signal: stop.signal },
  );
  await eventually(() => Promise.resolve(expect(gaps).toHaveLength(1)));
  for (const payload of ['', '{', 'null', '{"topic":1}', '[]'])
    await sql`select pg_notify('fleet_changes', ${payload})`.execute(database.db);
  await announce(database.db, 'devices', 'real');
  await eventually(() => Promise.resolve(expect(heard).toEqual([{ topic: 'devices', id: 'real' }])));
  expect(gaps).toHaveLength(1);
  stop.abort();
  await listening;
});

it('a connection that nobody answers on does not hold up the next query', async () => {
  const way = await Way.to(embedded.url);
  database = openDatabase({ url: `${way.url}&query_timeout=300`, log: SILENT, connections: 1 });
  const one = sql<{ one: number }>`select 1 as one`;
  await one.execute(database.db);
  way.freeze();
  await expect(one.execute(database.db)).rejects.toThrow('Query read timeout');
  way.thawForNewcomers();
  expect((await one.execute(database.db)).rows).toEqual([{ one: 1 }]);
  await way.close();
});

it('a listener that is stopped while it connects to nobody ends at once', async () => {
  database = openDatabase({ url: embedded.url, log: SILENT });
  const way = await Way.to(embedded.url);
  way.freeze();
  const listening = listen(way.url, { onChange() {}, onGap() {} }, { log: SILENT, signal: stop.signal });
  await way.knock;
  stop.abort();
  await Promise.race([listening, sleep(5_000).then(() => expect.unreachable('still listening'))]);
  await expect(listening).resolves.toBeUndefined();
  await way.close();
});

/** A way to the server's socket on which everything can get lost, as when a machine is gone without a word. */
class Way {
  readonly url: string;
  /** Resolves when the first client comes. */
  readonly knock: Promise<unknown>;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #frozen = false;

  private constructor(server: Server, url: string, socket: string) {
    this.#server = server;
    this.url = url;
    this.knock = once(server, 'connection');
    server.on('connection', (client: Socket) => this.#lead(client, socket));
  }

  static async to(url: string): Promise<Way> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const target = new URL(url);
    const socket = join(target.searchParams.get('host') ?? '', '.s.PGSQL.5432');
    return new Way(server, `postgresql://fleet@127.0.0.1:${port}/fleet?application_name=way`, socket);
  }

  /** Nothing arrives any more, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Clients that come from now on are answered; those before are not. */
  thawForNewcomers(): void {
    this.#frozen = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #lead(client: Socket, socket: string): void {
    client.on('error', () => undefined);
    this.#sockets.push(client);
    if (this.#frozen) return void client.pause();
    const server = connect(socket);
    server.on('error', () => client.destroy());
    this.#sockets.push(server);
    client.pipe(server).pipe(client);
  }
}
