import { deviceProof } from '@metrica-fleet/protocol/api';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JoinedDevice } from './joined-device.ts';
import { buildOverlord, RunningOverlord, type Answer } from './running-overlord.ts';

let overlord: RunningOverlord;
let admin: Readonly<Record<string, string>>;
let device: JoinedDevice;

/** Its repo is not there. */
beforeAll(async () => {
  await buildOverlord();
  overlord = await RunningOverlord.start('--repo', '/nowhere/fleet.git', '--repo-interval', '1');
  admin = await overlord.firstAdmin();
  device = await JoinedDevice.join(overlord, admin);
}, 120_000);
afterAll(() => overlord.remove(), 60_000);

function expectProblem(answer: Answer, problem: Readonly<Record<string, unknown>>): void {
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect({ status: answer.status, ...answer.body }).toMatchObject({ status: answer.status, ...problem });
  expect(answer.body.detail ?? answer.body.title).toMatch(/\w/);
}

it('runs without its fleet repo, and says what is wrong with it', async () => {
  const repository = async () => (await overlord.call('showRepository', { headers: admin })).body;
  for (let tries = 0; tries < 100 && (await repository()).problem === null; tries += 1) await sleep(100);
  expect(await repository()).toMatchObject({
    url: '/nowhere/fleet.git',
    head: null,
    problem: expect.stringMatching(/could not read|not appear to be a git repository|does not exist/i),
  });
  expect((await device.checkIn()).status).toBe(200);
});

describe('enrolment', () => {
  const enrol = (token: string) => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const evidence = { serial: randomUUID(), machineId: null, model: null, mac: null, arch: 'arm64' };
    const body = {
      version: 1,
      token,
      publicKey: publicKey.export({ format: 'jwk' }).x,
      bootId: 'b',
      evidence,
    };
    return overlord.call('enrol', { body });
  };

  it('takes a token for one device once', async () => {
    const { body } = await overlord.call('createEnrolmentToken', { headers: admin, body: {} });
    expect((await enrol(body.token)).status).toBe(200);
    expectProblem(await enrol(body.token), { status: 409, code: 'token-used' });
  });

  it('refuses a token that nobody made', async () => {
    expectProblem(await enrol(`mfe_${'x'.repeat(43)}`), { status: 401, code: 'unauthenticated' });
  });
});

describe('a device', () => {
  it('that nobody knows gets no token, and is not told that it is unknown before it has signed', async () => {
    const stranger = randomUUID();
    const { body } = await overlord.call('deviceChallenge', { body: { device: stranger } });
    const { privateKey } = generateKeyPairSync('ed25519');
    const signature = sign(null, Buffer.from(deviceProof(stranger, body.challenge)), privateKey);
    const answer = await overlord.call('deviceToken', {
      body: { device: stranger, challenge: body.challenge, signature: signature.toString('base64url') },
    });
    expectProblem(answer, { status: 401 });
  });

  it.each([
    ['a status of another form', { status: { schemaVersion: 1 } }, '/status'],
    ['reports without end', { reports: Array.from({ length: 51 }, () => ({})) }, '/reports'],
    ['a boot id of a kilobyte', { bootId: 'b'.repeat(1_024) }, '/bootId'],
  ])('that sends %s is told which field, and nothing of it is kept', async (_what, changes, field) => {
    const answer = await device.checkIn(changes as never);
    expectProblem(answer, { status: 400, code: 'bad-request' });
    expect(answer.body.field).toMatch(new RegExp(`^${field}`));
    const { body } = await overlord.call('showDevice', { headers: admin, params: { id: device.id } });
    expect(body.status).toBeNull();
  });

  it('whose clock is a year off is served as any other: it signs what it was given, not the time', async () => {
    expect((await device.prove()).status).toBe(200);
    const report = { id: randomUUID(), at: '2019-01-01T00:00:00Z', kind: 'booted' as const };
    const answer = await device.checkIn({ reports: [report] });
    expect(answer).toMatchObject({ status: 200, body: { acknowledged: [report.id] } });
    // What it can set its clock by.
    expect(Math.abs(Date.parse(answer.body.time) - Date.now())).toBeLessThan(3_600_000);
  });
});

const MEGABYTE = Buffer.alloc(1_000_000, 0x20);

/** Sends 100 MB to the check-in for as long as the overlord listens. Resolves with the status, null when it was cut off. */
function sendHundredMegabytes(
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number | null; sent: number }> {
  return new Promise((resolve) => {
    let sent = 0;
    const sending = request(
      {
        host: '127.0.0.1',
        port: overlord.port,
        method: 'POST',
        path: '/api/v1/device/check-in',
        headers: { 'content-type': 'application/json', ...device.headers, ...headers },
      },
      (answer) => {
        resolve({ status: answer.statusCode ?? null, sent });
        sending.destroy();
      },
    );
    sending.on('error', () => resolve({ status: null, sent }));
    const go = (): void => {
      while (sent < 100 && !sending.destroyed) {
        sent += 1;
        if (!sending.write(MEGABYTE)) return void sending.once('drain', go);
      }
      if (!sending.destroyed) sending.end();
    };
    go();
  });
}

/** Resident memory of the overlord in megabytes. */
async function memory(): Promise<number> {
  const status = await readFile(`/proc/${overlord.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

it.each([
  ['that says its length', { 'content-length': String(100 * MEGABYTE.length) }],
  ['that comes in pieces', { 'transfer-encoding': 'chunked' }],
])('turns a body of 100 MB away %s, long before it has come', async (_how, headers) => {
  const before = await memory();
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => sendHundredMegabytes(headers)));
  for (const { status, sent } of outcomes) {
    expect([413, null]).toContain(status);
    expect(sent).toBeLessThan(50);
  }
  // Eight hundred megabytes were offered.
  expect((await memory()) - before).toBeLessThan(200);
  expect((await device.checkIn()).status).toBe(200);
});
