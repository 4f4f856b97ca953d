import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeDevice } from '../devices/fake-device.ts';
import { startFleet, type Fleet } from '../devices/fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.close());

const create = async (body: unknown) => (await fleet.call('createEnrolmentToken', { body })).body;
const listed = async (): Promise<string[]> => {
  const { body } = await fleet.call('listEnrolmentTokens');
  return body.items.map(({ name }: { name: string }) => name);
};

it('shows a new token once, with the line to run, and keeps its digest alone', async () => {
  const { token, command, enrolmentToken } = await create({ role: 'door', uses: 3, hours: 2 });
  expect(command).toBe(`join ${token}`);
  expect(enrolmentToken).toMatchObject({
    name: 'door, 3 devices',
    role: 'door',
    segment: 'general',
    site: null,
    autoApprove: true,
    uses: 3,
    usesLeft: 3,
    createdBy: 'ada',
  });
  const hours = (Date.parse(enrolmentToken.expiresAt) - Date.parse(enrolmentToken.createdAt)) / 3_600_000;
  expect(hours).toBeCloseTo(2, 2);
  const { db } = fleet.database;
  const everything = JSON.stringify([
    await db.selectFrom('enrolment_tokens').selectAll().execute(),
    await db.selectFrom('audit').selectAll().execute(),
    (await fleet.call('listEnrolmentTokens')).body,
  ]);
  expect(everything).not.toContain(token);
});

it('lists tokens that let devices in, newest first, and no other', async () => {
  await create({ name: 'used up' }).then(({ token }) => new FakeDevice(fleet).enrol(token));
  await create({ name: 'over' });
  const { db } = fleet.database;
  await db
    .updateTable('enrolment_tokens')
    .set({ expires_at: new Date(0) })
    .where('name', '=', 'over')
    .execute();
  await create({ name: 'older' });
  await create({ name: 'newer' });
  expect((await listed()).slice(0, 2)).toEqual(['newer', 'older']);
  expect(await listed()).not.toContain('used up');
  expect(await listed()).not.toContain('over');
  const first = await fleet.call('listEnrolmentTokens', { query: { limit: '1' } });
  const second = await fleet.call('listEnrolmentTokens', { query: { limit: '1', cursor: first.body.next } });
  expect([first.body.items[0].name, second.body.items[0].name]).toEqual(['newer', 'older']);
});

it('revokes a token: nobody joins by it any more', async () => {
  const { token, enrolmentToken } = await create({ name: 'leaked', uses: 10 });
  const params = { id: enrolmentToken.id };
  expect(await fleet.call('revokeEnrolmentToken', { params })).toEqual({ status: 204, body: null });
  expect(await new FakeDevice(fleet).enrol(token)).toMatchObject({ status: 401 });
  expect(await listed()).not.toContain('leaked');
  expect(await fleet.call('revokeEnrolmentToken', { params })).toMatchObject({ status: 404 });
  const { db } = fleet.database;
  const audit = await db
    .selectFrom('audit')
    .select('action')
    .where('subject', '=', 'token:leaked')
    .orderBy('id')
    .execute();
  expect(audit.map(({ action }) => action)).toEqual(['create enrolment token', 'revoke enrolment token']);
});
