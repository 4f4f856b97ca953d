import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { joined, reportOf, statusOf, type FakeDevice } from './fake-device.ts';
import { startFleet, type Answer, type Fleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  await addRole('door');
});
beforeEach(() => void fleet.woken.splice(0));
afterAll(() => fleet.close());

const update = ({ id }: FakeDevice, body: unknown): Promise<Answer> =>
  fleet.call('updateDevice', { params: { id }, body });
const names = ({ body }: Answer): string[] => body.items.map(({ name }: { name: string }) => name);

async function addRole(role: string): Promise<void> {
  await fleet.database.db
    .insertInto('releases')
    .values({
      ...{
        id: randomUUID(),
        role,
        commit: 'a'.repeat(40),
        tree: 'b'.repeat(40),
        digest: null,
        state: 'refused',
      },
      ...{ subject: '', message: '', author: '', committed_at: new Date(), bundle_bytes: null },
      ...{ findings: '[]', files: '[]' },
    })
    .execute();
}

it('changes what a device is, tells why on its timeline and in the audit, and wakes it', async () => {
  const device = await joined(fleet, 'cellar');
  const body = {
    name: 'attic',
    role: 'door',
    site: 'shop-1',
    segment: 'canary',
    labels: { floor: '3' },
    updatesOff: true,
  };
  expect(await update(device, body)).toMatchObject({ status: 200, body });
  expect(await update(device, { site: null })).toMatchObject({ status: 200, body: { ...body, site: null } });
  await expect
    .poll(() => fleet.registry.get(device.id))
    .toMatchObject({
      name: 'attic',
      role: 'door',
      site: null,
      segment: 'canary',
      updatesOff: true,
    });
  expect(fleet.woken).toEqual([`variables ${device.id}`, `variables ${device.id}`]);
  const events = await fleet.call('listDeviceEvents', { params: { id: device.id } });
  expect(events.body.items[0]).toMatchObject({ kind: 'changed', text: 'ada changed site: null' });
  const { db } = fleet.database;
  const audit = await db.selectFrom('audit').selectAll().where('action', '=', 'change device').execute();
  expect(audit).toMatchObject([{ actor: 'ada', subject: 'device:cellar' }, { subject: 'device:attic' }]);
});

it('refuses a role that the fleet does not have, a name that is taken, and changes nothing then', async () => {
  const device = await joined(fleet, 'left');
  await joined(fleet, 'right');
  const role = await update(device, { role: 'windmill', segment: 'early' });
  expect(role).toMatchObject({ status: 400, body: { code: 'bad-request', field: '/role' } });
  const name = await update(device, { name: 'right', segment: 'early' });
  expect(name).toMatchObject({ status: 409, body: { code: 'conflict', field: '/name' } });
  expect(await update(device, {})).toMatchObject({ status: 400 });
  const shown = await fleet.call('showDevice', { params: { id: device.id } });
  expect(shown.body).toMatchObject({ name: 'left', role: null, segment: 'general' });
  expect(fleet.woken).toEqual([]);
});

it('answers 404 for a device that is not there', async () => {
  const params = { id: randomUUID() };
  expect(await fleet.call('showDevice', { params })).toMatchObject({ status: 404 });
  expect(await fleet.call('updateDevice', { params, body: { updatesOff: true } })).toMatchObject({
    status: 404,
  });
  expect(await fleet.call('createOrder', { params, body: { kind: 'run' } })).toMatchObject({ status: 404 });
});

it('shows a device whole', async () => {
  const device = await joined(fleet, 'whole');
  const status = statusOf({
    health: 'degraded',
    running: { role: 'door', commit: 'a'.repeat(40), digest: null },
    wanted: { role: 'door', commit: 'b'.repeat(40), digest: null },
    problems: [{ code: 'no-space', what: 'The disk is full' }],
  });
  await device.checkIn({ status });
  const { body } = await fleet.call('showDevice', { params: { id: device.id } });
  expect(body).toMatchObject({
    id: device.id,
    name: 'whole',
    membership: 'active',
    state: 'degraded',
    running: 'a'.repeat(40),
    wanted: 'b'.repeat(40),
    problem: 'The disk is full.',
    agentVersion: '0.2.0',
    online: true,
    connected: false,
    evidence: device.evidence,
    enrolledBy: 'ada',
    status,
  });
});

it('filters the list by everything that it offers', async () => {
  const device = await joined(fleet, 'filter-100');
  await joined(fleet, 'filter_100');
  const commit = 'f'.repeat(40);
  const problems = [{ code: 'no-space' as const, what: 'Full' }];
  await device.checkIn({ status: statusOf({ running: { role: 'door', commit, digest: null }, problems }) });
  await update(device, { role: 'door', site: 'shop-9', segment: 'early' });
  const filters = { role: 'door', site: 'shop-9', segment: 'early', commit, problem: 'no-space' };
  for (const [key, value] of Object.entries(filters)) {
    const list = await fleet.call('listDevices', { query: { q: 'filter', [key]: value } });
    expect({ key, names: names(list) }).toEqual({ key, names: ['filter-100'] });
  }
  expect(names(await fleet.call('listDevices', { query: { q: 'R-1' } }))).toEqual(['filter-100']);
  expect(names(await fleet.call('listDevices', { query: { q: '%' } }))).toEqual([]);
  await fleet.call('revokeDevice', { params: { id: device.id }, body: {} });
  expect(names(await fleet.call('listDevices', { query: { q: 'filter' } }))).toEqual([]);
  const gone = await fleet.call('listDevices', { query: { q: 'filter', membership: 'revoked' } });
  expect(names(gone)).toEqual(['filter-100']);
});

it('refuses cursors that it did not give out', async () => {
  const { id } = await joined(fleet);
  const cursorOf = (...keys: string[]): string => Buffer.from(JSON.stringify(keys)).toString('base64url');
  const refused = { status: 400, body: { code: 'bad-request' } };
  expect(await fleet.call('listDevices', { query: { cursor: 'x' } })).toMatchObject(refused);
  for (const cursor of [cursorOf('soon', randomUUID()), cursorOf('2026-01-01', 'nobody')]) {
    expect(await fleet.call('listOrders', { params: { id }, query: { cursor } })).toMatchObject(refused);
    expect(await fleet.call('listEnrolmentTokens', { query: { cursor } })).toMatchObject(refused);
  }
  const events = await fleet.call('listDeviceEvents', {
    params: { id },
    query: { cursor: cursorOf('first') },
  });
  expect(events).toMatchObject(refused);
});

it('shows the timeline newest first, page by page, and the log of a run', async () => {
  const device = await joined(fleet);
  const reports = Array.from({ length: 7 }, (_, n) =>
    reportOf({ detail: `no. ${n}`, log: `line ${n}\nend` }),
  );
  await device.checkIn({ reports });
  const params = { id: device.id };
  const first = await fleet.call('listDeviceEvents', { params, query: { limit: '5' } });
  const rest = await fleet.call('listDeviceEvents', {
    params,
    query: { limit: '5', cursor: first.body.next },
  });
  const all = [...first.body.items, ...rest.body.items];
  expect(all.map(({ text }) => text.split(' – ')[1])).toEqual([
    ...reports.map(({ detail }) => detail).toReversed(),
    undefined,
  ]);
  expect(rest.body.next).toBeNull();
  expect(all[0]).toMatchObject({ kind: 'updated', hasLog: true, device: device.id });
  const log = await fleet.call('showRunLog', { params: { ...params, event: all[0].id } });
  expect(log.body).toEqual({ event: all[0].id, lines: ['line 6', 'end'] });
  const other = await joined(fleet);
  const foreign = await fleet.call('showRunLog', { params: { id: other.id, event: all[0].id } });
  expect(foreign).toMatchObject({ status: 404 });
});

it('revokes a device once, with the reason on its timeline', async () => {
  const { id } = await joined(fleet);
  const revoke = (): Promise<Answer> =>
    fleet.call('revokeDevice', { params: { id }, body: { reason: 'It was stolen.' } });
  expect(await revoke()).toMatchObject({ status: 200, body: { membership: 'revoked' } });
  expect(await revoke()).toMatchObject({ status: 409 });
  const { body } = await fleet.call('listDeviceEvents', { params: { id } });
  expect(body.items[0]).toMatchObject({ kind: 'revoked', text: 'ada revoked it. It was stolen.' });
  const order = await fleet.call('createOrder', { params: { id }, body: { kind: 'run' } });
  expect(order).toMatchObject({ status: 409, body: { code: 'conflict' } });
});

it('shows the code of safe mode to who may order a redeploy, and to nobody else', async () => {
  const device = await joined(fleet, 'dark');
  const safeMode = { reason: 'web failed', since: null, code: 'ABCD2345', address: 'http://192.168.1.7/' };
  const checkedIn = await device.checkIn({ status: { ...statusOf({ state: 'safe' }), safeMode } });
  expect(checkedIn.status).toBe(200);
  const show = (token?: string): Promise<Answer> =>
    fleet.call('showDevice', { params: { id: device.id }, ...(token === undefined ? {} : { token }) });
  expect((await show()).body.status.safeMode).toEqual(safeMode);
  expect((await show(fleet.viewer)).body.status.safeMode).toEqual({ ...safeMode, code: null });
});
