import type { CheckIn, CheckInReply, DesiredState } from '@metrica-fleet/protocol/api';
import { deviceProof, ROUTES } from '@metrica-fleet/protocol/api';
import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Line, requestBytes, type Target } from './http.ts';
import type { Requests } from './load.ts';
import type { RunningOverlord } from './overlord.ts';

/** Connections while the devices get ready. */
const LINES = 32;
/** For what the overlord does by itself: making the release, moving its rollout on. Milliseconds. */
const PATIENCE = 60_000;

interface BenchDevice {
  readonly id: string;
  readonly key: KeyObject;
  readonly publicKey: string;
}

/**
 * Devices of a role that have joined, got their tokens as devices do, run their release and have said so: from then on
 * each check-in has nothing new. Also makes the prototype's copy of their statuses.
 */
export async function joinDevices(
  { database, target }: RunningOverlord,
  { role, count }: { readonly role: string; readonly count: number },
): Promise<Requests> {
  const devices = Array.from({ length: count }, newDevice);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await enrol(client, role, devices);
    const settled = await inTurns(target, devices, (line, device) => settle(line, device));
    await rolloutIsDone(client);
    await inTurns(target, settled, (line, { token, body }) => saysNothing(line, token, body));
    await copyStatuses(client);
    const bytesOf = (close: boolean): readonly Buffer[] =>
      settled.map(({ token, body }) => requestBytes(ROUTES.checkIn.path, { token, body, close }));
    return { keepAlive: bytesOf(false), close: bytesOf(true) };
  } finally {
    await client.end();
  }
}

function newDevice(): BenchDevice {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { id: randomUUID(), key: privateKey, publicKey: publicKey.export({ format: 'jwk' }).x ?? '' };
}

/** In the tables, as the overlord writes it: thousands at once would run into the limit of its route. */
async function enrol(client: pg.Client, role: string, devices: readonly BenchDevice[]): Promise<void> {
  await client.query(
    `insert into devices (id, name, public_key, membership, role, segment, evidence, enrolled_by)
     select id, 'pi-' || id, key, 'active', $3, 'canary', '{}', 'bench' from unnest($1::uuid[], $2::text[]) as new (id, key)`,
    [devices.map(({ id }) => id), devices.map(({ publicKey }) => publicKey), role],
  );
  await client.query(`select pg_notify('fleet_changes', '{"topic":"devices","id":""}')`);
}

interface Settled {
  readonly token: string;
  readonly body: CheckIn;
}

/** Gets a token, asks what to run, says that it runs it. */
async function settle(line: Line, { id, key }: BenchDevice): Promise<Settled> {
  const { challenge } = await ask<{ challenge: string }>(line, ROUTES.deviceChallenge.path, {
    body: { device: id },
  });
  const signature = sign(null, Buffer.from(deviceProof(id, challenge)), key).toString('base64url');
  const { token } = await ask<{ token: string }>(line, ROUTES.deviceToken.path, {
    body: { device: id, challenge, signature },
  });
  // The prototype takes the boot id for the device's.
  const first: CheckIn = { version: 1, bootId: id, position: null, status: null, reports: [] };
  const { position, role, commit, digest } = await wanted(line, token, first);
  const running = { role, commit, digest };
  const status: CheckIn['status'] = {
    schemaVersion: 1,
    device: `pi-${id}`,
    agentVersion: '0.2.0',
    at: '2026-01-01T00:00:00Z',
    state: 'idle',
    health: 'healthy',
    running,
    wanted: running,
    pending: null,
    lastUpdate: null,
    lastConvergence: null,
    problems: [],
    services: [],
    sources: [],
  };
  await ask(line, ROUTES.checkIn.path, { token, body: { ...first, position, status } });
  return { token, body: { ...first, position } };
}

/** What the overlord wants it to run, once it knows. */
async function wanted(line: Line, token: string, body: CheckIn): Promise<DesiredState> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(100)) {
    const { desired } = await ask<CheckInReply>(line, ROUTES.checkIn.path, { token, body });
    if (typeof desired === 'object') return desired;
  }
  throw new Error('The overlord offers no release');
}

/** A check-in with nothing new, that is answered with nothing new. */
async function saysNothing(line: Line, token: string, body: CheckIn): Promise<void> {
  const reply = await ask<CheckInReply>(line, ROUTES.checkIn.path, { token, body });
  if (Object.keys(reply).length !== 1) throw new Error(`There is news: ${JSON.stringify(reply)}`);
}

async function rolloutIsDone(client: pg.Client): Promise<void> {
  let state: string | undefined;
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(200)) {
    const { rows } = await client.query<{ state: string }>('select state from rollouts');
    state = rows[0]?.state;
    if (state === 'done') return;
  }
  throw new Error(`The rollout is not done, but ${state ?? 'not there'}`);
}

/** With the same room in each page as the overlord's table has. */
async function copyStatuses(client: pg.Client): Promise<void> {
  await client.query(`create schema bare;
    create table bare.device_status (like device_status including all)
      with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
    insert into bare.device_status select * from device_status;`);
  await client.query('vacuum analyze');
}

/** Does something for each device, on several connections. */
async function inTurns<T, R>(
  target: Target,
  items: readonly T[],
  work: (line: Line, item: T) => Promise<R>,
): Promise<readonly R[]> {
  const queue = items.entries();
  const results: R[] = [];
  const drain = async (): Promise<void> => {
    const line = await Line.open(target, null);
    for (const [index, item] of queue) results[index] = await work(line, item);
    line.close();
  };
  await Promise.all(Array.from({ length: LINES }, drain));
  return results;
}

async function ask<T>(
  line: Line,
  path: string,
  { token = null, body }: { readonly token?: string | null; readonly body: unknown },
): Promise<T> {
  const { status, text } = await line.ask(requestBytes(path, { token, body, close: false }));
  if (status !== 200) throw new Error(`${path} was answered ${status}: ${text}`);
  return JSON.parse(text) as T;
}
