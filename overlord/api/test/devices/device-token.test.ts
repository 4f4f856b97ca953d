import { jwtVerify, SignJWT } from 'jose';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceTokens, isAging, LIFE } from '../../src/devices/device-token.ts';
import { FakeDevice, enrolmentToken, joined } from './fake-device.ts';
import { startFleet, type Fleet } from './fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.close());

const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

it('lets a device in that has signed the challenge with its key', async () => {
  const device = await joined(fleet);
  const { status, body } = await device.prove();
  expect(status).toBe(200);
  expect(Date.parse(body.expires) / 1000).toBeGreaterThan(Date.now() / 1000 + LIFE.device - 60);
  expect(await device.checkIn()).toMatchObject({ status: 200 });
});

it('makes tokens that are good for as long as the configuration says, and challenges that are not', async () => {
  const tokens = new DeviceTokens(randomBytes(32), 20);
  const now = new Date();
  const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  const token = await tokens.make('device', { device: 'a', epoch: 1, now });
  expect(tokens.verify('device', token, later(18))).toMatchObject({ device: 'a' });
  expect(tokens.verify('device', token, later(21))).toBeNull();
  const challenge = await tokens.make('challenge', { device: 'a', epoch: 0, now });
  expect(tokens.verify('challenge', challenge, later(21))).toMatchObject({ device: 'a' });
});

it('makes JWTs as RFC 7519 has them', async () => {
  const key = randomBytes(32);
  const tokens = new DeviceTokens(key);
  const made = await tokens.make('device', { device: 'a', epoch: 3, now: new Date() });
  const { payload } = await jwtVerify(made, key, { audience: 'device' });
  expect(payload).toMatchObject({ sub: 'a', epoch: 3 });
});

it('refuses a challenge that another key signed', async () => {
  const device = await joined(fleet);
  const thief = device.copy({ newKey: true });
  thief.id = device.id;
  expect(await thief.prove()).toMatchObject({ status: 401, body: { field: '/signature' } });
});

it('refuses a challenge that was given to another device, and one that is over', async () => {
  const device = await joined(fleet);
  const other = await joined(fleet);
  const refused = { status: 401, body: { code: 'unauthenticated', field: '/challenge' } };
  expect(await device.prove(await other.challenge())).toMatchObject(refused);
  const old = await fleet.tokens.make('challenge', {
    device: device.id,
    epoch: 0,
    now: ago(LIFE.challenge + 1),
  });
  expect(await device.prove(old)).toMatchObject(refused);
  expect(await device.prove(device.token)).toMatchObject(refused);
});

it('says nothing about whether there is such a device until a signature fits', async () => {
  const nobody = new FakeDevice(fleet);
  nobody.id = randomUUID();
  const device = await joined(fleet);
  const thief = device.copy({ newKey: true });
  thief.id = device.id;
  expect((await nobody.prove()).body).toEqual((await thief.prove()).body);
});

it('refuses tokens that are forged, over, or made for something else', async () => {
  const device = await joined(fleet);
  const claims = { device: device.id, epoch: 1, now: new Date() };
  const [header = '', payload = '', signature = ''] = device.token.split('.');
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  const otherPayload = Buffer.from(JSON.stringify({ sub: randomUUID() })).toString('base64url');
  const stronger = await new SignJWT({ epoch: 1 })
    .setProtectedHeader({ alg: 'HS512' })
    .setAudience('device')
    .setSubject(device.id)
    .setExpirationTime('1h')
    .sign(randomBytes(64));
  const bad: Readonly<Record<string, string>> = {
    challenge: await device.challenge(),
    over: await fleet.tokens.make('device', { ...claims, now: ago(LIFE.device + 1) }),
    'of another overlord': await new DeviceTokens(randomBytes(32)).make('device', claims),
    unsigned: `${unsigned}.${payload}.`,
    'with another payload': `${header}.${otherPayload}.${signature}`,
    'without signature': `${header}.${payload}.`,
    'of another algorithm': stronger,
    'in four parts': `${device.token}.x`,
    nonsense: 'eyJ',
  };
  for (const [what, token] of Object.entries(bad)) {
    device.token = token;
    const { status, body } = await device.checkIn();
    expect({ what, status, code: body.code }).toEqual({ what, status: 401, code: 'unauthenticated' });
  }
});

it('refuses the token of a former epoch as that of a revoked device', async () => {
  const device = await joined(fleet);
  await fleet.database.db.updateTable('devices').set({ epoch: 2 }).where('id', '=', device.id).execute();
  await fleet.registry.refresh(device.id);
  expect(await device.checkIn()).toMatchObject({ status: 403, body: { code: 'device-revoked' } });
});

it('refuses tokens and new proofs of a device as soon as it is revoked', async () => {
  const device = await joined(fleet);
  await fleet.call('revokeDevice', { params: { id: device.id }, body: { reason: 'stolen' } });
  await expect.poll(() => device.checkIn()).toMatchObject({ status: 403, body: { code: 'device-revoked' } });
  expect(await device.prove()).toMatchObject({ status: 403, body: { code: 'device-revoked' } });
});

it('serves nothing to a device that waits for approval, and says so', async () => {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet, { autoApprove: false }));
  expect(await device.prove()).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
});

it('lets a device in that joined at another overlord a moment ago, before the news of it has come', async () => {
  const device = await joined(fleet);
  const { id } = device;
  await fleet.database.db.updateTable('devices').set({ epoch: 2 }).where('id', '=', id).execute();
  device.token = await fleet.tokens.make('device', { device: id, epoch: 2, now: new Date() });
  expect(fleet.registry.get(id)?.epoch).toBe(1);
  expect(await device.checkIn()).toMatchObject({ status: 200 });
});

it('renews a token in its last third', () => {
  const issued = new Date(0);
  const expires = new Date(9_000);
  expect(isAging({ issued, expires }, new Date(5_999))).toBe(false);
  expect(isAging({ issued, expires }, new Date(6_001))).toBe(true);
});
