import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { manyJoined, reportOf, statusOf, type FakeDevice } from './fake-device.ts';
import { startFleet, type Answer, type Fleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
beforeEach(() => {
  fleet.observe = () => Promise.resolve();
});
afterAll(() => fleet.close());

it('has everything on record that it has acknowledged to 2,000 devices at once', async () => {
  const devices = await manyJoined(fleet, 2_000);
  const answers = await Promise.all(
    devices.map((device) => device.checkIn({ status: statusOf(), reports: [reportOf(), reportOf()] })),
  );
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const acknowledged = answers.flatMap(({ body }) => body.acknowledged as string[]);
  expect(acknowledged).toHaveLength(4_000);
  const ids = devices.map(({ id }) => id);
  const { db } = fleet.database;
  const reports = await db.selectFrom('device_events').select('report_id').execute();
  const onRecord = new Set(reports.map(({ report_id }) => report_id));
  expect(acknowledged.filter((id) => !onRecord.has(id))).toEqual([]);
  const records = await db
    .selectFrom('device_status')
    .select('boot_id')
    .where('device_id', 'in', ids)
    .where('health', '=', 'healthy')
    .execute();
  expect(new Set(records.map(({ boot_id }) => boot_id))).toEqual(
    new Set(devices.map(({ bootId }) => bootId)),
  );
}, 60_000);

it('takes as many reports at once as devices may send after an outage', async () => {
  const devices = await manyJoined(fleet, 40);
  const sent = devices.map(() => Array.from({ length: 50 }, () => reportOf({ log: 'x'.repeat(3_000) })));
  const answers = await Promise.all(devices.map((device, n) => device.checkIn({ reports: sent[n] ?? [] })));
  expect(answers.map(({ body }) => body.acknowledged?.length)).toEqual(devices.map(() => 50));
  const { rows } = await timelines(devices);
  expect(rows).toBe(2_000);
});

it('writes the check-ins of all others when one cannot be written', async () => {
  const devices = await manyJoined(fleet, 30);
  const [gone, cursed] = devices as [FakeDevice, FakeDevice];
  await fleet.database.db.deleteFrom('devices').where('id', '=', gone.id).execute();
  fleet.observe = (_trx, seen) =>
    seen.some(({ device }) => device.id === cursed.id) ? Promise.reject(new Error('No')) : Promise.resolve();
  const answers = await Promise.all(
    devices.map((device) => device.checkIn({ status: statusOf(), reports: [reportOf()] })),
  );
  expect(answers.map(({ status }) => status)).toEqual([500, 500, ...Array.from({ length: 28 }, () => 200)]);
  const { rows, devices: written } = await timelines(devices);
  expect({ rows, written }).toEqual({ rows: 28, written: 28 });
});

it('says «later» while the database is gone, loses nothing that it acknowledged, and goes on by itself', async () => {
  const devices = await manyJoined(fleet, 50);
  const cut = sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'overlord' and datname = current_database() and pid <> pg_backend_pid()`;
  const sent: Promise<Answer>[] = [];
  for (let round = 0; round < 10; round += 1) {
    sent.push(...devices.map((device) => device.checkIn({ reports: [reportOf()] })));
    if (round % 3 === 1) await cut.execute(fleet.database.db).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const answers = await Promise.all(sent);
  expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  const acknowledged = answers.filter(({ status }) => status === 200).length;
  expect((await timelines(devices)).rows).toBeGreaterThanOrEqual(acknowledged);
  await expect.poll(() => devices[0]?.checkIn()).toMatchObject({ status: 200 });
});

/** Lines on the timelines of devices, and on how many of them there are any. */
async function timelines(of: readonly FakeDevice[]): Promise<{ rows: number; devices: number }> {
  const rows = await fleet.database.db
    .selectFrom('device_events')
    .select('device_id')
    .where(
      'device_id',
      'in',
      of.map(({ id }) => id),
    )
    .execute();
  return { rows: rows.length, devices: new Set(rows.map(({ device_id }) => device_id)).size };
}
