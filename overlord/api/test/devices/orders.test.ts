import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DeviceFacts } from '../../src/devices/registry.ts';
import { writeCheckIns } from '../../src/devices/write-check-ins.ts';
import { joined, reportOf, statusOf, type FakeDevice } from './fake-device.ts';
import { startFleet, type Answer, type Fleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
beforeEach(() => void fleet.woken.splice(0));
afterAll(() => fleet.close());

const order = ({ id }: FakeDevice, body: unknown): Promise<Answer> =>
  fleet.call('createOrder', { params: { id }, body });
const statesOf = async ({ id }: FakeDevice): Promise<string[]> => {
  const { body } = await fleet.call('listOrders', { params: { id } });
  return body.items.map(({ state }: { state: string }) => state);
};

it('goes out with the next check-in, is marked as delivered, and done when the device says so', async () => {
  const device = await joined(fleet);
  const { status, body } = await order(device, { kind: 'restart-service', service: 'web' });
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { kind: 'restart-service', service: 'web', state: 'queued', createdBy: 'ada' },
  });
  expect(fleet.woken).toEqual([`order ${device.id}`]);
  const { orders } = (await device.checkIn()).body;
  expect(orders).toEqual([{ id: body.id, kind: 'restart-service', service: 'web', expires: body.expiresAt }]);
  expect(await statesOf(device)).toEqual(['delivered']);
  const report = reportOf({ kind: 'order', order: body.id, ok: true, detail: 'web restarted' });
  await device.checkIn({ reports: [report] });
  const list = await fleet.call('listOrders', { params: { id: device.id } });
  expect(list.body.items).toMatchObject([{ state: 'done', detail: 'web restarted' }]);
  const events = await fleet.call('listDeviceEvents', { params: { id: device.id } });
  const texts = events.body.items.map(({ text }: { text: string }) => text);
  expect(texts.slice(0, 2)).toEqual(['Order done: web restarted', 'ada ordered: restart-service web']);
});

it('goes out once, to the later of two requests that are written together', async () => {
  const device = await joined(fleet);
  await order(device, { kind: 'reboot' });
  await expect.poll(() => fleet.registry.get(device.id)).toBeDefined();
  const facts = fleet.registry.get(device.id) as DeviceFacts;
  const body = { version: 1, bootId: device.bootId, position: null, status: null, reports: [] };
  const arrived = { device: facts, body, at: new Date(), bytes: 100 };
  const { db } = fleet.database;
  const written = await writeCheckIns({ db, observe: () => Promise.resolve() }, [arrived, { ...arrived }]);
  expect(written.map(({ orders }) => orders.length)).toEqual([0, 1]);
});

it('goes out once, though the device asks many times at once', async () => {
  const device = await joined(fleet);
  await order(device, { kind: 'reboot' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => device.checkIn({ status: statusOf() })));
  expect(answers.filter(({ body }) => body.orders !== undefined)).toHaveLength(1);
});

it('comes in the order in which people gave them', async () => {
  const device = await joined(fleet);
  for (const kind of ['run', 'collect-logs', 'redeploy']) await order(device, { kind });
  const { orders } = (await device.checkIn()).body;
  expect(orders.map(({ kind }: { kind: string }) => kind)).toEqual(['run', 'collect-logs', 'redeploy']);
});

it('is not delivered when its time is over', async () => {
  const device = await joined(fleet);
  const { body } = await order(device, { kind: 'reboot', minutes: 1 });
  const { db } = fleet.database;
  await db
    .updateTable('orders')
    .set({ expires_at: new Date(0) })
    .where('id', '=', body.id)
    .execute();
  expect((await device.checkIn()).body.orders).toBeUndefined();
  expect(await statesOf(device)).toEqual(['expired']);
});

it('is closed by the first word of its own device, and of no other', async () => {
  const device = await joined(fleet);
  const other = await joined(fleet);
  const { body } = await order(device, { kind: 'reboot' });
  await device.checkIn();
  const done = reportOf({ kind: 'order', order: body.id, ok: true });
  await other.checkIn({ reports: [done] });
  expect(await statesOf(device)).toEqual(['delivered']);
  const failed = reportOf({ kind: 'order', order: body.id, ok: false, detail: 'busy' });
  await device.checkIn({ reports: [failed, { ...done, id: randomUUID() }] });
  await device.checkIn({ reports: [reportOf({ kind: 'order', order: body.id, ok: true })] });
  expect(await statesOf(device)).toEqual(['failed']);
});

it('names the service that is to start again', async () => {
  const device = await joined(fleet);
  const answer = await order(device, { kind: 'restart-service' });
  expect(answer).toMatchObject({ status: 400, body: { field: '/service' } });
});

it('is told to dashboards as it goes out', async () => {
  const device = await joined(fleet);
  await device.checkIn({ status: statusOf() });
  await order(device, { kind: 'run' });
  fleet.told.splice(0);
  await device.checkIn();
  expect(fleet.told).toEqual([device.id]);
});

it('is listed newest first, none left out between pages', async () => {
  const device = await joined(fleet);
  for (let n = 0; n < 12; n += 1) await order(device, { kind: 'restart-service', service: `s${n}` });
  // As those of one transaction: the same millisecond, and not the same microsecond.
  const { db } = fleet.database;
  const orders = await db.selectFrom('orders').select('id').where('device_id', '=', device.id).execute();
  for (const [n, { id }] of orders.entries()) {
    const created_at = `2026-01-01T00:00:00.0001${String(n).padStart(2, '0')}Z` as unknown as Date;
    await db.updateTable('orders').set({ created_at }).where('id', '=', id).execute();
  }
  const seen: string[] = [];
  for (let query: Record<string, string> = { limit: '5' }; ;) {
    const { body } = await fleet.call('listOrders', { params: { id: device.id }, query });
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    if (body.next === null) break;
    query = { limit: '5', cursor: body.next };
  }
  expect(seen).toEqual(orders.map(({ id }) => id).toReversed());
});
