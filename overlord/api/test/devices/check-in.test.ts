import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { LIFE } from '../../src/devices/device-token.ts';
import { joined, reportOf, statusOf, type FakeDevice } from './fake-device.ts';
import { startFleet, type Fleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
beforeEach(() => {
  fleet.told.length = 0;
  fleet.observe = () => Promise.resolve();
  fleet.offer(null);
});
afterAll(() => fleet.close());

const recordOf = ({ id }: FakeDevice) =>
  fleet.database.db
    .selectFrom('device_status')
    .selectAll()
    .where('device_id', '=', id)
    .executeTakeFirstOrThrow();
const timelineOf = ({ id }: FakeDevice) =>
  fleet.database.db
    .selectFrom('device_events')
    .selectAll()
    .where('device_id', '=', id)
    .where('kind', '<>', 'enrolled')
    .orderBy('id')
    .execute();
const set = ({ id }: FakeDevice, values: { seen_at?: Date }) =>
  fleet.database.db.updateTable('device_status').set(values).where('device_id', '=', id).execute();

const desired = {
  position: 'door.1',
  role: 'door',
  commit: 'a'.repeat(40),
  digest: 'b'.repeat(64),
  statement: '{}',
  signature: 's',
  layers: [{ from: 'sites/shop.yaml', values: { VOLUME: 3 } }],
};

it('keeps what a device says of itself', async () => {
  const device = await joined(fleet);
  const commit = 'c'.repeat(40);
  const status = statusOf({
    health: 'degraded',
    state: 'staging',
    interval: 60,
    running: { role: 'door', commit, digest: null },
    problems: [
      { code: 'no-space', what: 'The disk is full', remedy: 'Free some.' },
      { code: 'health-failed', what: 'Not healthy' },
    ],
  });
  expect(await device.checkIn({ status, position: 'door.1' })).toMatchObject({ status: 200 });
  expect(await recordOf(device)).toMatchObject({
    health: 'degraded',
    update_state: 'staging',
    check_in_interval: 60,
    boot_id: device.bootId,
    position: 'door.1',
    role: 'door',
    commit,
    wanted_commit: null,
    problem_code: 'no-space',
    problem: 'The disk is full.',
    agent_version: '0.2.0',
    status,
  });
});

it('remembers since when a device has been as it is', async () => {
  const device = await joined(fleet);
  await device.checkIn({ status: statusOf() });
  const { since } = await recordOf(device);
  await device.checkIn({ status: statusOf({ state: 'staged' }) });
  expect((await recordOf(device)).since).toEqual(since);
  await device.checkIn({ status: statusOf({ health: 'degraded' }) });
  expect((await recordOf(device)).since?.getTime()).toBeGreaterThan(since?.getTime() ?? Infinity);
});

it('asks for the status once it has none, and takes «as before» when it has', async () => {
  const device = await joined(fleet);
  expect((await device.checkIn()).body.statusWanted).toBe(true);
  expect((await device.checkIn({ status: statusOf() })).body.statusWanted).toBeUndefined();
  await set(device, { seen_at: new Date(0) });
  expect((await device.checkIn({ position: 'door.2' })).body.statusWanted).toBeUndefined();
  const record = await recordOf(device);
  expect(record).toMatchObject({ health: 'healthy', position: 'door.2' });
  expect(record.seen_at.getTime()).toBeGreaterThan(Date.now() - 60_000);
});

it('sends the desired state to a device that does not have it, and only then', async () => {
  const device = await joined(fleet);
  fleet.offer({ position: 'door.1', desired });
  expect((await device.checkIn()).body.desired).toEqual(desired);
  expect((await device.checkIn({ position: 'door.1' })).body).not.toHaveProperty('desired');
  fleet.offer({ position: 'none', desired: 'nothing' });
  expect((await device.checkIn({ position: 'door.1' })).body.desired).toBe('nothing');
  fleet.offer(null);
  expect((await device.checkIn({ position: 'door.1' })).body).not.toHaveProperty('desired');
});

it('renews a token that has less than a third of its life left', async () => {
  const device = await joined(fleet);
  expect((await device.checkIn()).body.token).toBeUndefined();
  const old = new Date(Date.now() - LIFE.device * 700);
  device.token = await fleet.tokens.make('device', { device: device.id, epoch: 1, now: old });
  device.token = (await device.checkIn()).body.token;
  const again = await device.checkIn();
  expect(again.status).toBe(200);
  expect(again.body.token).toBeUndefined();
});

it('applies a report once, however often it is delivered', async () => {
  const device = await joined(fleet);
  const report = reportOf({
    kind: 'failed',
    role: 'door',
    commit: 'd'.repeat(40),
    detail: 'No',
    log: 'a\nb',
  });
  const other = reportOf({ kind: 'reverted' });
  const answers = await Promise.all([
    device.checkIn({ reports: [report, report] }),
    device.checkIn({ reports: [report, other] }),
  ]);
  answers.push(await device.checkIn({ reports: [report] }));
  expect(answers.map(({ body }) => body.acknowledged)).toEqual([
    [report.id, report.id],
    [report.id, other.id],
    [report.id],
  ]);
  const timeline = await timelineOf(device);
  expect(new Set(timeline.map(({ report_id }) => report_id))).toEqual(new Set([report.id, other.id]));
  expect(timeline).toHaveLength(2);
  expect(timeline.find(({ kind }) => kind === 'failed')).toMatchObject({
    text: `Could not run door@${'d'.repeat(12)} – No`,
    log: 'a\nb',
    at: new Date(report.at),
  });
});

it('takes texts and times that PostgreSQL would not', async () => {
  const device = await joined(fleet);
  const cut = '🎥'.slice(0, 1);
  const what = `Lens ${cut} and NUL \0 and «\\ud800»`;
  const status = statusOf({ problems: [{ code: 'health-failed', what }], pending: cut });
  const report = reportOf({ at: '2026-13-45T99:99:99Z', detail: cut, log: `a${cut}` });
  expect(await device.checkIn({ status, reports: [report] })).toMatchObject({ status: 200 });
  const [event] = await timelineOf(device);
  expect(event).toMatchObject({ log: 'a\ufffd' });
  expect(event?.at.getTime()).toBeGreaterThan(Date.now() - 60_000);
  expect((await recordOf(device)).problem).toBe('Lens \ufffd and NUL  and «\\ud800».');
});

it('hands to Deployment Control what changed, in the transaction that writes it', async () => {
  const device = await joined(fleet);
  const seen: unknown[] = [];
  fleet.observe = async (trx, statuses) => {
    const row = await trx
      .selectFrom('device_status')
      .select('health')
      .where('device_id', '=', device.id)
      .execute();
    seen.push(
      row,
      statuses.map(({ device: { id }, status }) => [id, status.health]),
    );
  };
  await device.checkIn();
  expect(seen).toEqual([]);
  await device.checkIn({ status: statusOf() });
  expect(seen).toEqual([[{ health: 'healthy' }], [[device.id, 'healthy']]]);
});

it('tells dashboards of what people can see, and not of check-ins that change nothing', async () => {
  const device = await joined(fleet);
  await device.checkIn({ status: statusOf() });
  expect(fleet.told.splice(0)).toEqual([device.id]);
  await device.checkIn();
  expect(fleet.told).toEqual([]);
  await device.checkIn({ reports: [reportOf()] });
  expect(fleet.told.splice(0)).toEqual([device.id]);
  await set(device, { seen_at: new Date(0) });
  await device.checkIn();
  expect(fleet.told).toEqual([device.id]);
});

it('notes when a device has started again, once, unless it says so itself', async () => {
  const device = await joined(fleet);
  await device.checkIn({ status: statusOf() });
  await device.checkIn();
  expect(await timelineOf(device)).toEqual([]);
  device.bootId = randomUUID();
  await device.checkIn();
  await device.checkIn();
  expect(await timelineOf(device)).toMatchObject([{ kind: 'booted', text: 'Started up', report_id: null }]);
  device.bootId = randomUUID();
  const report = reportOf({ kind: 'booted', detail: 'after a power cut' });
  await device.checkIn({ status: statusOf(), reports: [report] });
  expect(await timelineOf(device)).toMatchObject([{}, { kind: 'booted', report_id: report.id }]);
});

it('sees that two boards run copies of one card by their boot ids, which come back in turn', async () => {
  const device = await joined(fleet);
  const copy = device.copy({ serial: null });
  copy.token = device.token;
  for (const board of [device, device, copy]) await board.checkIn();
  expect(fleet.registry.get(device.id)?.conflict).toBe(false);
  await device.checkIn();
  await expect.poll(() => fleet.registry.get(device.id)?.conflict).toBe(true);
  await copy.checkIn();
  const texts = (await timelineOf(device)).filter(({ kind }) => kind === 'changed');
  expect(texts).toMatchObject([{ text: 'Two boards check in as this device in turn: its card was copied' }]);
});
