import type { Kysely } from 'kysely';
import { randomUUID } from 'node:crypto';
import { request as httpRequest, type ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../src/db/listen.ts';
import type { Schema } from '../../src/db/schema.ts';
import type { Caller, Handlers } from '../../src/server/handler.ts';
import { buildServer } from '../../src/server/server.ts';
import { buildSignals, type Signals, type SignalTimes } from '../../src/signals/signals.ts';
import { freshDatabase, SILENT, type FreshDatabase } from '../postgres.ts';

/** One replica: real server, real sockets, real news from the database. */
export interface Replica {
  readonly signals: Signals;
  /** Opens a stream as a device; its token is good for `life` milliseconds. */
  device(id: string, options?: { after?: string; life?: number; heartbeat?: number }): Promise<Listening>;
  /** Opens the stream of a dashboard. */
  dashboard(after?: string): Promise<Listening>;
  stop(): Promise<void>;
}

const TIMES: SignalTimes = {
  deviceHeartbeat: 60_000,
  dashboardHeartbeat: 60_000,
  delta: 20,
  presence: 20,
  away: 40,
  lease: 60_000,
};

/** A database with any number of replicas on it. */
export class Overlord {
  readonly database: FreshDatabase;
  private readonly replicas: Replica[] = [];

  private constructor(database: FreshDatabase) {
    this.database = database;
  }

  static async begin(): Promise<Overlord> {
    return new Overlord(await freshDatabase());
  }

  get db(): Kysely<Schema> {
    return this.database.db;
  }

  async end(): Promise<void> {
    for (const replica of this.replicas) await replica.stop();
    await this.database.close();
  }

  async replica(
    times: Partial<SignalTimes> = {},
    ready: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Replica> {
    const { db, database } = this;
    const stop = new AbortController();
    const signals = buildSignals({
      db,
      log: SILENT,
      now: () => new Date(),
      epoch: randomUUID(),
      ready,
      times: { ...TIMES, ...times },
    });
    await signals.begin();
    const app = await buildServer({
      log: SILENT,
      version: '0',
      trustProxy: false,
      identify: [({ headers }) => Promise.resolve(callerOf(headers.authorization ?? ''))],
      handlers: signals.routes as unknown as Handlers,
    });
    let heard: () => void = () => undefined;
    const listening = new Promise<void>((resolve) => (heard = resolve));
    const onGap = (): void => {
      signals.onGap();
      heard();
    };
    const news = listen(
      database.url,
      { onChange: (change) => signals.onChange(change), onGap },
      { log: SILENT, signal: stop.signal },
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    await listening;
    // To listen is to have had a gap: dashboards are told so first.
    await sleep((times.delta ?? TIMES.delta) + 10);
    const { port } = app.server.address() as AddressInfo;
    const replica: Replica = {
      signals,
      device: (id, { after, life = 60_000, heartbeat } = {}) =>
        openClient({
          port,
          path: `/api/v1/device/signals${heartbeat === undefined ? '' : `?heartbeat=${heartbeat}`}`,
          who: `device ${id} ${Date.now() + life}`,
          after,
        }),
      dashboard: (after) => openClient({ port, path: '/api/v1/stream', who: 'operator', after }),
      async stop() {
        stop.abort();
        await signals.stop();
        await app.close();
        await news;
      },
    };
    this.replicas.push(replica);
    return replica;
  }

  async addDevice(name: string): Promise<string> {
    const id = randomUUID();
    const evidence = { serial: null, machineId: null, model: null, mac: null, arch: 'arm64' };
    const row = { id, name, segment: 'general', membership: 'active', enrolled_by: 'a test' } as const;
    await this.db
      .insertInto('devices')
      .values({ ...row, role: 'web', evidence: JSON.stringify(evidence) })
      .execute();
    await this.db
      .insertInto('device_status')
      .values({
        device_id: id,
        seen_at: new Date(),
        connected_until: null,
        boot_id: null,
        position: null,
        health: 'healthy',
        role: null,
        commit: null,
        wanted_commit: null,
        update_state: 'idle',
        problem_code: null,
        problem: null,
        agent_version: null,
        since: null,
        status: null,
      })
      .execute();
    return id;
  }
}

function callerOf(authorization: string): Caller | null {
  const [kind, id = '', expires] = authorization.split(' ');
  if (kind === 'device') return { kind, id, expires: new Date(Number(expires)), issued: new Date() };
  if (kind === 'operator') return { kind, id: randomUUID(), name: 'ada', role: 'viewer', csrf: null };
  return null;
}

interface Client {
  readonly port: number;
  readonly path: string;
  readonly who: string;
  readonly after: string | undefined;
}

/** A client of a stream, and what it has heard. */
export class Listening {
  readonly request: ClientRequest;
  private text = '';
  private over = false;

  constructor(request: ClientRequest) {
    this.request = request;
  }

  hear(chunk: string): void {
    this.text += chunk;
  }

  finish(): void {
    this.over = true;
  }

  get closed(): boolean {
    return this.over;
  }

  get lines(): readonly string[] {
    return this.text.split('\n');
  }

  /** The events so far: id and data. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into events of every shape
  get events(): readonly { readonly id: string; readonly data: any }[] {
    return this.text
      .split('\n\n')
      .map((block) => /^id: (.+)\ndata: (.+)$/.exec(block))
      .flatMap((match) => (match === null ? [] : [{ id: match[1] ?? '', data: JSON.parse(match[2] ?? '') }]));
  }

  /** Waits until it has heard so many events. */
  async has(count: number): Promise<readonly Listening['events'][number][]> {
    await until(() => this.events.length >= count);
    return this.events;
  }

  hangUp(): void {
    this.request.destroy();
  }
}

async function openClient({ port, path, who, after }: Client): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: who, ...(after === undefined ? {} : { 'last-event-id': after }) };
    const request = httpRequest({ port, path, headers, host: '127.0.0.1', agent: false }, (response) => {
      const listening = new Listening(request);
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => listening.hear(chunk));
      response.on('close', () => listening.finish());
      response.on('error', () => listening.finish());
      if (response.statusCode === 200) resolve(listening);
      else reject(new Error(`The stream was answered with ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}

/** Waits until something is so; the time limit of the test is the deadline. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}
