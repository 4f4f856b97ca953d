import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { enrolmentToken, FakeDevice } from '../devices/fake-device.ts';
import { startFleet, type Fleet } from '../devices/fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.close());

const show = async (id: string) => (await fleet.call('showDevice', { params: { id } })).body;
const usesLeft = async (name: string): Promise<number | undefined> => {
  const { db } = fleet.database;
  const row = await db
    .selectFrom('enrolment_tokens')
    .select('uses_left')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.uses_left;
};

it('takes a device in as its token says, and tells it who may sign', async () => {
  const token = await enrolmentToken(fleet, { role: 'door', segment: 'canary', site: 'shop-1' });
  const device = new FakeDevice(fleet, '10000000ABCDEF12');
  const { status, body } = await device.enrol(token);
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      device: device.id,
      name: 'pi-cdef12',
      state: 'active',
      role: 'door',
      segment: 'canary',
      signers: 'fleet ssh-ed25519 AAAA',
    },
  });
  expect(await show(device.id)).toMatchObject({
    site: 'shop-1',
    enrolledBy: 'ada',
    evidence: device.evidence,
  });
  const events = await fleet.call('listDeviceEvents', { params: { id: device.id } });
  expect(events.body.items).toMatchObject([
    { kind: 'enrolled', text: 'It joined the fleet, by the token «door, one device»' },
  ]);
  const { db } = fleet.database;
  const audit = await db
    .selectFrom('audit')
    .select(['actor', 'action', 'address'])
    .where('subject', '=', 'device:pi-cdef12')
    .execute();
  expect(audit).toEqual([{ actor: 'ada', action: 'enrol device', address: '127.0.0.1' }]);
});

it('answers the same key the same, though it asks many times at once, and takes one use of the token', async () => {
  const token = await enrolmentToken(fleet, { name: 'many', uses: 200 });
  const devices = Array.from({ length: 10 }, () => new FakeDevice(fleet));
  const tries = devices.flatMap((device) => Array.from({ length: 10 }, () => device.enrol(token)));
  const answers = await Promise.all(tries);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(({ body }) => body.device)).size).toBe(10);
  expect(await usesLeft('many')).toBe(190);
});

it('answers a device that lost the answer, though the token is used up or revoked by now', async () => {
  const token = await enrolmentToken(fleet, { name: 'lost' });
  const device = new FakeDevice(fleet);
  await device.enrol(token);
  const { id } = device;
  expect(await device.enrol(token)).toMatchObject({ status: 200, body: { device: id } });
  const { db } = fleet.database;
  await db
    .updateTable('enrolment_tokens')
    .set({ revoked_at: new Date() })
    .where('name', '=', 'lost')
    .execute();
  expect(await device.enrol(token)).toMatchObject({ status: 200, body: { device: id } });
});

it('lets 50 of 100 devices in that come at once with a token for 50', async () => {
  const token = await enrolmentToken(fleet, { name: 'fifty', uses: 50 });
  const devices = Array.from({ length: 100 }, () => new FakeDevice(fleet));
  const answers = await Promise.all(devices.map((device) => device.enrol(token, 'till')));
  const joined = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status !== 200);
  expect(joined).toHaveLength(50);
  expect(new Set(joined.map(({ body }) => body.name)).size).toBe(50);
  expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['token-used']));
  expect(await usesLeft('fifty')).toBe(0);
  const { db } = fleet.database;
  const tills = await db.selectFrom('devices').select('id').where('name', 'like', 'till%').execute();
  expect(tills).toHaveLength(50);
});

it('refuses tokens that are unknown, revoked or over, and says which', async () => {
  const device = new FakeDevice(fleet);
  const unknown = await device.enrol(`mfe_${'x'.repeat(43)}`);
  expect(unknown).toMatchObject({ status: 401, body: { code: 'unauthenticated', field: '/token' } });
  const { db } = fleet.database;
  const revoked = await enrolmentToken(fleet, { name: 'revoked' });
  await db
    .updateTable('enrolment_tokens')
    .set({ revoked_at: new Date() })
    .where('name', '=', 'revoked')
    .execute();
  const over = await enrolmentToken(fleet, { name: 'over' });
  await db
    .updateTable('enrolment_tokens')
    .set({ expires_at: new Date(0) })
    .where('name', '=', 'over')
    .execute();
  expect((await device.enrol(revoked)).body.detail).toBe('The enrolment token was revoked.');
  expect((await device.enrol(over)).body.detail).toBe('The enrolment token is over.');
  expect(await usesLeft('over')).toBe(1);
});

it('gives a wished name that is taken a number, also one of the longest', async () => {
  const token = await enrolmentToken(fleet, { uses: 6 });
  const wish = async (name: string): Promise<string> =>
    (await new FakeDevice(fleet).enrol(token, name)).body.name;
  const long = 'a'.repeat(63);
  expect([await wish('gate'), await wish('gate'), await wish('gate')]).toEqual(['gate', 'gate-2', 'gate-3']);
  expect([await wish(long), await wish(long), await wish(long)]).toEqual([
    long,
    `${'a'.repeat(61)}-2`,
    `${'a'.repeat(61)}-3`,
  ]);
});

it('shows a copied card as a conflict, and tells the copy how to become a device of its own', async () => {
  const token = await enrolmentToken(fleet, { uses: 2 });
  const device = new FakeDevice(fleet);
  await device.enrol(token);
  const copy = device.copy({ serial: randomUUID() });
  const answer = await copy.enrol(token);
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', field: '/publicKey' } });
  expect(answer.body.remedy).toContain('/var/lib/role-agent/identity');
  expect(await show(device.id)).toMatchObject({ state: 'conflict' });
  await copy.enrol(token);
  const { body } = await fleet.call('listDeviceEvents', { params: { id: device.id } });
  expect(body.items.map(({ kind }: { kind: string }) => kind)).toEqual(['changed', 'enrolled']);
});

it('says nothing about a device to whoever has only its public key', async () => {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet));
  const thief = device.copy({ serial: 'other' });
  expect(await thief.enrol(`mfe_${'x'.repeat(43)}`)).toMatchObject({ status: 401 });
  expect(await show(device.id)).toMatchObject({ state: 'pending' });
});

it('lets a board that comes with another key wait for a person, also one that was revoked', async () => {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet), 'front-door');
  const token = await enrolmentToken(fleet, { name: 'again', uses: 2 });
  const reflashed = device.copy({ newKey: true });
  expect(await reflashed.enrol(token)).toMatchObject({ status: 200, body: { state: 'waiting' } });
  const { body } = await fleet.call('listDeviceEvents', { params: { id: reflashed.id } });
  expect(body.items[0].text).toBe(
    'It waits for approval, because its board is known as front-door, by the token «again»',
  );
  for (const { id } of [device, reflashed]) await fleet.call('revokeDevice', { params: { id }, body: {} });
  expect(await device.copy({ newKey: true }).enrol(token)).toMatchObject({ body: { state: 'waiting' } });
});

it('never takes a revoked key in again', async () => {
  const device = new FakeDevice(fleet);
  const token = await enrolmentToken(fleet, { name: 'thief', uses: 2 });
  await device.enrol(token);
  await fleet.call('revokeDevice', { params: { id: device.id }, body: { reason: 'stolen' } });
  expect(await device.enrol(token)).toMatchObject({ status: 403, body: { code: 'device-revoked' } });
  expect(await usesLeft('thief')).toBe(1);
});

it('tells the overlords of a newcomer', async () => {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet, { role: 'door' }));
  await expect
    .poll(() => fleet.registry.get(device.id))
    .toMatchObject({ role: 'door', membership: 'active' });
});
