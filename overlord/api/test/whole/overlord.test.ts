import {
  mayCall,
  PRINCIPALS,
  ROUTES,
  type Principal,
  type Route,
  type RouteName,
} from '@metrica-fleet/protocol/api';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fleetRepo, type FleetRepo } from '../fleet-repo.ts';
import { JoinedDevice } from './joined-device.ts';
import { buildOverlord, RunningOverlord } from './running-overlord.ts';

let overlord: RunningOverlord;
let repo: FleetRepo;
let admin: Readonly<Record<string, string>>;
let commit: string;

beforeAll(async () => {
  await buildOverlord();
  repo = await fleetRepo();
  commit = await repo.push({}, 'Say hello');
  overlord = await RunningOverlord.start('--repo', repo.url, '--repo-interval', '1');
  admin = await overlord.firstAdmin();
}, 120_000);
afterAll(async () => {
  await overlord.remove();
  await repo.remove();
}, 60_000);

const joinFleet = (): Promise<JoinedDevice> => JoinedDevice.join(overlord, admin);

/** Asks until the answer has what is waited for; a test that waits in vain runs into its own limit. */
async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    await sleep(100);
  }
}

it('gives a device that joins the signed release of its role, and its bundle', async () => {
  const device = await joinFleet();
  const { body } = await until(
    () => device.checkIn(),
    (answer) => typeof answer.body?.desired === 'object',
  );
  expect(body.desired).toMatchObject({ role: 'hello', commit });
  expect(JSON.parse(body.desired.statement)).toMatchObject({ digest: body.desired.digest });
  const params = { digest: body.desired.digest };
  const bundle = await overlord.call('artifact', { headers: device.headers, params });
  expect(bundle).toMatchObject({
    status: 200,
    headers: { etag: `"${body.desired.digest}"`, 'accept-ranges': 'bytes' },
  });
  const part = await overlord.call('artifact', {
    headers: { ...device.headers, range: 'bytes=10-19' },
    params,
  });
  expect(part).toMatchObject({ status: 206, headers: { 'content-length': '10' } });
  const again = await overlord.call('artifact', {
    headers: { ...device.headers, 'if-none-match': bundle.headers['etag'] as string },
    params,
  });
  expect(again.status).toBe(304);
}, 60_000);

it('takes a revoked device nothing away, but answers it no more', async () => {
  const device = await joinFleet();
  await overlord.call('revokeDevice', { headers: admin, params: { id: device.id }, body: {} });
  const answer = await until(
    () => device.checkIn(),
    ({ status }) => status === 403,
  );
  expect(answer.body).toMatchObject({ code: 'device-revoked' });
}, 60_000);

it('writes into the audit who did what', async () => {
  const { body } = await overlord.call('listAudit', { headers: admin });
  const actions = body.items.map(
    ({ actor, action }: { actor: string; action: string }) => `${actor}: ${action}`,
  );
  expect(actions).toContain('ada: create enrolment token');
  expect(actions).toContain('overlord: make release');
});

it('lets nobody be the first admin twice', async () => {
  const body = { token: overlord.firstAdminToken, name: 'eve', password: 'correct horse battery' };
  expect((await overlord.call('createFirstAdmin', { body })).body).toMatchObject({ code: 'token-used' });
});

it('refuses a change that another site makes a browser send', async () => {
  const { cookie = '' } = admin;
  const body = { role: 'hello' };
  const withoutToken = await overlord.call('createEnrolmentToken', { headers: { cookie }, body });
  const elsewhere = await overlord.call('createEnrolmentToken', {
    headers: { ...admin, origin: 'https://evil.example' },
    body,
  });
  expect([withoutToken.status, elsewhere.status]).toEqual([403, 403]);
});

it.each([
  ['a body that is no JSON', '{', 400],
  ['a field of another type', '{"name": 7, "password": "x"}', 400],
  ['a body of a megabyte', JSON.stringify({ name: 'x'.repeat(1_000_000), password: 'x' }), 413],
] as const)('answers %s with problem+json that says what and where', async (_what, body, status) => {
  const answer = await overlord.send('POST', '/api/v1/sessions', { body });
  expect(answer).toMatchObject({
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
  });
  expect(answer.body).toMatchObject({ status, code: status === 413 ? 'too-large' : 'bad-request' });
});

it('says in its metrics how the fleet is', async () => {
  const made = await overlord.call('createApiToken', {
    headers: admin,
    body: { name: 'prometheus', role: 'viewer', monitoring: true },
  });
  const headers = { authorization: `Bearer ${made.body.token}` };
  const { status, text } = await overlord.call('metrics', { headers });
  expect(status).toBe(200);
  expect(text).toMatch(/^fleet_devices\{state="pending",role="hello"\} \d+$/m);
});

describe('who may call what', () => {
  const proofs: Partial<Record<Principal, Readonly<Record<string, string>>>> = {};
  beforeAll(async () => {
    const token = async (role: string, monitoring: boolean) => {
      const body = { name: role, role, monitoring };
      const made = await overlord.call('createApiToken', { headers: admin, body });
      return { authorization: `Bearer ${made.body.token}` };
    };
    proofs.public = {};
    proofs.device = (await joinFleet()).headers;
    proofs.viewer = await token('viewer', false);
    proofs.operator = await token('operator', false);
    proofs.admin = await token('admin', false);
    proofs.monitoring = await token('viewer', true);
  }, 60_000);

  // Streams do not end: that they let in whom they should is tested with them.
  const streams: ReadonlySet<RouteName> = new Set(['stream', 'deviceSignals']);
  const calls = (Object.keys(ROUTES) as RouteName[]).flatMap((name) =>
    PRINCIPALS.filter((principal) => !streams.has(name) || !mayCall(principal, ROUTES[name].principal)).map(
      (principal) => [name, principal] as const,
    ),
  );

  it.each(calls)('%s by %s', async (name, principal) => {
    const route: Route = ROUTES[name];
    const may = mayCall(principal, route.principal);
    const params = { id: randomUUID(), event: '1', digest: 'a'.repeat(64) };
    const answer = await overlord.call(name, { headers: proofs[principal] ?? {}, params });
    const turnedAway = answer.body?.code === 'unauthenticated' || answer.body?.code === 'not-allowed';
    expect(turnedAway).toBe(!may);
  });
});

it('has no route that is not in the table', async () => {
  const { body } = await overlord.call('apiDescription');
  const described = Object.entries<Record<string, unknown>>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  const table = Object.values<Route>(ROUTES).map(({ method, path }) => `${method} ${path}`);
  expect(described.sort()).toEqual(table.sort());
});

it('keeps its secrets where only its owner reads them', async () => {
  const { mode } = await import('node:fs').then(({ statSync }) =>
    statSync(join(overlord.data, 'master.key')),
  );
  expect(mode & 0o077).toBe(0);
});

it('stops in order on SIGTERM', async () => {
  expect(await overlord.end('SIGTERM')).toBe(0);
}, 60_000);
