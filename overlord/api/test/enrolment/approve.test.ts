import { afterAll, beforeAll, expect, it } from 'vitest';
import { enrolmentToken, FakeDevice, joined, reportOf, statusOf } from '../devices/fake-device.ts';
import { startFleet, type Answer, type Fleet } from '../devices/fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.close());

const approve = ({ id }: FakeDevice): Promise<Answer> => fleet.call('approveDevice', { params: { id } });

async function waiting(): Promise<FakeDevice> {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet, { autoApprove: false }));
  return device;
}

it('lets a device in that waited, and the device finds it out by asking again', async () => {
  const device = await waiting();
  const list = await fleet.call('listDevices', { query: { membership: 'waiting' } });
  expect(list.body.items).toMatchObject([{ id: device.id, membership: 'waiting' }]);
  expect(await approve(device)).toMatchObject({ status: 200, body: { membership: 'active' } });
  expect(await device.prove()).toMatchObject({ status: 200 });
  expect(await device.checkIn()).toMatchObject({ status: 200 });
});

it('lists who came with a token, those that wait too, and nobody else', async () => {
  const answer = await fleet.call('createEnrolmentToken', { body: { autoApprove: false, uses: 2 } });
  await joined(fleet);
  const device = new FakeDevice(fleet);
  await device.enrol(answer.body.token);
  const list = await fleet.call('listDevices', {
    query: { enrolmentToken: answer.body.enrolmentToken.id },
  });
  expect(list.body.items).toMatchObject([{ id: device.id, membership: 'waiting' }]);
});

it('refuses to approve a device that does not wait, or is not there', async () => {
  const device = await joined(fleet);
  expect(await approve(device)).toMatchObject({ status: 409 });
  await fleet.call('revokeDevice', { params: { id: device.id }, body: {} });
  expect(await approve(device)).toMatchObject({ status: 409 });
  device.id = '00000000-0000-0000-0000-000000000000';
  expect(await approve(device)).toMatchObject({ status: 404 });
});

it('turns a device away for good that waits and is revoked', async () => {
  const device = await waiting();
  await fleet.call('revokeDevice', { params: { id: device.id }, body: { reason: 'not ours' } });
  expect(await device.prove()).toMatchObject({ status: 403, body: { code: 'device-revoked' } });
});

it('settles a conflict: the device is one again', async () => {
  const device = await joined(fleet);
  await fleet.database.db
    .updateTable('devices')
    .set({ conflict: true })
    .where('id', '=', device.id)
    .execute();
  const { status, body } = await approve(device);
  expect(status).toBe(200);
  expect(body.state).not.toBe('conflict');
  await expect.poll(() => fleet.registry.get(device.id)?.conflict).toBe(false);
});

it('gives a re-flashed board its id, name and history back, and lets its old key in no more', async () => {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet, { role: 'door', site: 'shop-1' }), 'back-door');
  await device.prove();
  await device.checkIn({ status: statusOf(), reports: [reportOf()] });
  const former = device.id;

  const reflashed = device.copy({ newKey: true });
  const token = await enrolmentToken(fleet);
  await reflashed.enrol(token);
  expect(reflashed.id).not.toBe(former);
  // Until a person has looked, the board that is in the fleet stays in it.
  expect(await device.checkIn()).toMatchObject({ status: 200 });
  expect(await approve(reflashed)).toMatchObject({
    status: 200,
    body: { id: former, name: 'back-door', role: 'door', site: 'shop-1', membership: 'active' },
  });

  expect(await reflashed.enrol(token)).toMatchObject({
    body: { device: former, name: 'back-door', state: 'active' },
  });
  await reflashed.prove();
  expect(await reflashed.checkIn({ status: statusOf() })).toMatchObject({ status: 200 });
  await expect.poll(() => device.checkIn()).toMatchObject({ status: 403, body: { code: 'device-revoked' } });
  expect(await device.prove()).toMatchObject({ status: 401 });
  const events = await fleet.call('listDeviceEvents', { params: { id: former } });
  expect(events.body.items.map(({ kind }: { kind: string }) => kind)).toEqual([
    'booted',
    'approved',
    'enrolled',
    'updated',
    'enrolled',
  ]);
  const all = await fleet.call('listDevices', { query: { q: 'back-door' } });
  expect(all.body.items).toHaveLength(1);
});
