import { ROUTES, type OperatorRole, type RouteName } from '@metrica-fleet/protocol/api';
import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Transaction } from 'kysely';
import { listen } from '../../src/db/listen.ts';
import type { Schema } from '../../src/db/schema.ts';
import { checkInRoutes, type Wanted } from '../../src/devices/check-in.ts';
import { deviceRoutes } from '../../src/devices/device-routes.ts';
import { DeviceTokens } from '../../src/devices/device-token.ts';
import { eventRoutes } from '../../src/devices/event-routes.ts';
import { identifyDevice } from '../../src/devices/identify.ts';
import { Registry } from '../../src/devices/registry.ts';
import { tokenRoutes } from '../../src/devices/token-routes.ts';
import type { SeenStatus } from '../../src/devices/write-check-ins.ts';
import { approveRoutes } from '../../src/enrolment/approve.ts';
import { enrolRoutes } from '../../src/enrolment/enrol.ts';
import { enrolmentTokenRoutes } from '../../src/enrolment/token-routes.ts';
import { identifyOperator } from '../../src/operators/identify.ts';
import { hashToken, makeToken } from '../../src/operators/secret-token.ts';
import type { Handlers } from '../../src/server/handler.ts';
import { buildServer } from '../../src/server/server.ts';
import { freshDatabase, SILENT, type FreshDatabase } from '../postgres.ts';

/** What came back. */
export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
}

export interface CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Shown as `Authorization: Bearer …`. Default: that of an operator called ada. */
  readonly token?: string;
}

/** The part of an overlord that devices meet, on a real server with a real database. */
export interface Fleet {
  readonly database: FreshDatabase;
  readonly registry: Registry;
  readonly tokens: DeviceTokens;
  /** Token of somebody who may only look. */
  readonly viewer: string;
  /** Calls a route. */
  call(route: RouteName, options?: CallOptions): Promise<Answer>;
  /** What check-ins are answered; `offer` sets it. */
  offer(wanted: Wanted | null): void;
  /** Called in the transaction of a check-in for the devices with a new status. */
  observe: (trx: Transaction<Schema>, seen: readonly SeenStatus[]) => Promise<void>;
  /** Devices that the dashboards were told about, in turn. */
  readonly told: string[];
  /** Wake-ups: reason and device. */
  readonly woken: string[];
  close(): Promise<void>;
}

export async function startFleet(): Promise<Fleet> {
  const database = await freshDatabase();
  const { db } = database;
  const stop = new AbortController();
  const registry = new Registry({ db, log: SILENT, signal: stop.signal });
  const tokens = new DeviceTokens(randomBytes(32));
  const news = await followNews(database.url, registry, stop.signal);
  const told: string[] = [];
  const woken: string[] = [];
  let wanted: Wanted | null = null;
  const wake = async (_trx: unknown, devices: readonly string[], reason: string): Promise<void> => {
    woken.push(...devices.map((device) => `${reason} ${device}`));
  };
  const fleet = { observe: (): Promise<void> => Promise.resolve() } as Pick<Fleet, 'observe'>;
  const handlers = {
    ...enrolRoutes({ db, signers: 'fleet ssh-ed25519 AAAA' }),
    ...approveRoutes({ db }),
    ...enrolmentTokenRoutes({ db, command: (token) => `join ${token}` }),
    ...tokenRoutes({ db, tokens }),
    ...checkInRoutes({
      db,
      registry,
      tokens,
      log: SILENT,
      wantedBy: () => wanted,
      changed: (devices) => told.push(...devices),
      observe: (trx, seen) => fleet.observe(trx, seen),
    }),
    ...deviceRoutes({ db, wake }),
    ...eventRoutes({ db, wake }),
  };
  const app = await buildServer({
    log: SILENT,
    version: '0',
    trustProxy: false,
    identify: [identifyDevice(tokens, registry), identifyOperator(db)],
    handlers: handlers as unknown as Handlers,
  });
  await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  const { port } = app.server.address() as AddressInfo;
  const operator = await addOperator(database, { name: 'ada', role: 'operator' });
  const viewer = await addOperator(database, { name: 'vera', role: 'viewer' });
  const agent = new Agent({ keepAlive: true, maxSockets: 2_000 });
  return Object.assign(fleet, {
    database,
    registry,
    tokens,
    viewer,
    told,
    woken,
    offer: (next: Wanted | null) => void (wanted = next),
    call: (route: RouteName, options: CallOptions = {}) =>
      send({ agent, port, route, options: { token: operator, ...options } }),
    async close() {
      agent.destroy();
      await app.close();
      stop.abort();
      await news.ended;
      await database.close();
    },
  });
}

/** Keeps the registry up to date as an overlord does; resolves once it listens. The result is for its end. */
async function followNews(
  url: string,
  registry: Registry,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  let heard: () => void;
  const listening = new Promise<void>((resolve) => (heard = resolve));
  const ended = listen(
    url,
    {
      onChange: ({ topic, id }) => void (topic === 'devices' && registry.refresh(id)),
      onGap: () => void registry.refresh().then(heard),
    },
    { log: SILENT, signal },
  );
  await listening;
  return { ended };
}

async function addOperator(
  { db }: FreshDatabase,
  { name, role }: { readonly name: string; readonly role: OperatorRole },
): Promise<string> {
  const id = randomUUID();
  const token = makeToken('mft');
  await db
    .insertInto('operators')
    .values({ id, name, role, password_hash: '', last_seen_at: null })
    .execute();
  await db
    .insertInto('api_tokens')
    .values({
      id: randomUUID(),
      token_hash: hashToken(token),
      operator_id: id,
      name: 'test',
      role,
      expires_at: null,
      last_used_at: null,
    })
    .execute();
  return token;
}

interface Sent {
  readonly agent: Agent;
  readonly port: number;
  readonly route: RouteName;
  readonly options: CallOptions;
}

async function send({ agent, port, route, options }: Sent): Promise<Answer> {
  const { method, path } = ROUTES[route];
  const { params = {}, query = {}, body, token } = options;
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        agent,
        port,
        host: '127.0.0.1',
        method,
        path: `${filled}?${new URLSearchParams(query).toString()}`,
        headers: {
          ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('end', () => {
          const received = Buffer.concat(chunks).toString('utf8');
          resolve({ status: reply.statusCode ?? 0, body: received === '' ? null : JSON.parse(received) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}
