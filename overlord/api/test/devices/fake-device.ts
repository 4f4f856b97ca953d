import type { Status } from '@metrica-fleet/protocol';
import { deviceProof, type CheckIn, type Evidence, type Report } from '@metrica-fleet/protocol/api';
import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import type { Answer, Fleet } from './fleet.ts';

/** A board with a card in it: a key of its own, and what the overlord has told it. */
export class FakeDevice {
  readonly fleet: Fleet;
  readonly serial: string | null;
  key: KeyObject;
  publicKey: string;
  bootId: string = randomUUID();
  id = '';
  token = '';

  constructor(fleet: Fleet, serial: string | null = randomUUID()) {
    this.fleet = fleet;
    this.serial = serial;
    ({ key: this.key, publicKey: this.publicKey } = newKey());
  }

  /** A new card in the same board, or the same card in another: `{...}` of what is different. */
  copy(changes: { readonly serial?: string | null; readonly newKey?: boolean }): FakeDevice {
    const other = new FakeDevice(this.fleet, changes.serial === undefined ? this.serial : changes.serial);
    if (changes.newKey !== true)
      Object.assign(other, { key: this.key, publicKey: this.publicKey, id: this.id });
    return other;
  }

  get evidence(): Evidence {
    return { serial: this.serial, machineId: null, model: 'Raspberry Pi 5', mac: null, arch: 'arm64' };
  }

  /** Joins the fleet; remembers the id. */
  async enrol(token: string, name?: string): Promise<Answer> {
    const answer = await this.fleet.call('enrol', {
      token: '',
      body: {
        version: 1,
        token,
        publicKey: this.publicKey,
        ...(name === undefined ? {} : { name }),
        bootId: this.bootId,
        evidence: this.evidence,
      },
    });
    if (answer.status === 200) this.id = answer.body.device;
    return answer;
  }

  async challenge(): Promise<string> {
    const { body } = await this.fleet.call('deviceChallenge', { token: '', body: { device: this.id } });
    return body.challenge;
  }

  /** Proves itself; remembers the token. */
  async prove(challenge?: string): Promise<Answer> {
    const given = challenge ?? (await this.challenge());
    const signature = sign(null, Buffer.from(deviceProof(this.id, given)), this.key).toString('base64url');
    const body = { device: this.id, challenge: given, signature };
    const answer = await this.fleet.call('deviceToken', { token: '', body });
    if (answer.status === 200) this.token = answer.body.token;
    return answer;
  }

  checkIn(changes: Partial<CheckIn> = {}): Promise<Answer> {
    const body = { version: 1, bootId: this.bootId, position: null, status: null, reports: [], ...changes };
    return this.fleet.call('checkIn', { token: this.token, body });
  }
}

/** A device that has joined and has a token; active unless the fleet wants to be asked. */
export async function joined(fleet: Fleet, name?: string): Promise<FakeDevice> {
  const device = new FakeDevice(fleet);
  await device.enrol(await enrolmentToken(fleet), name);
  await device.prove();
  return device;
}

/** Devices that have joined; quicker than by enrolment. */
export async function manyJoined(fleet: Fleet, count: number): Promise<readonly FakeDevice[]> {
  const first = await joined(fleet);
  const devices = Array.from({ length: count }, () => first.copy({ newKey: true }));
  for (const device of devices) device.id = randomUUID();
  await fleet.database.db
    .insertInto('devices')
    .values(
      devices.map(({ id, publicKey, evidence }) => ({
        id,
        name: `pi-${id}`,
        public_key: publicKey,
        membership: 'active' as const,
        role: null,
        site: null,
        segment: 'general' as const,
        evidence: JSON.stringify(evidence),
        serial: null,
        token_id: null,
        enrolled_by: 'ada',
      })),
    )
    .execute();
  await fleet.registry.refresh();
  for (const device of devices) {
    device.token = await fleet.tokens.make('device', { device: device.id, epoch: 1, now: new Date() });
  }
  return devices;
}

/** A new enrolment token. */
export async function enrolmentToken(
  fleet: Fleet,
  body: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await fleet.call('createEnrolmentToken', { body });
  return answer.body.token;
}

/** A status as agents send it. */
export function statusOf(changes: Partial<Status> = {}): Status {
  return {
    schemaVersion: 1,
    device: 'pi',
    agentVersion: '0.2.0',
    at: '2026-01-01T00:00:00Z',
    state: 'idle',
    health: 'healthy',
    running: null,
    wanted: null,
    pending: null,
    lastUpdate: null,
    lastConvergence: null,
    problems: [],
    services: [],
    sources: [],
    ...changes,
  };
}

/** A report as agents send it, with an id of its own. */
export function reportOf(changes: Partial<Report> = {}): Report {
  return { id: randomUUID(), at: '2026-01-01T00:00:00Z', kind: 'updated', ...changes };
}

function newKey(): { readonly key: KeyObject; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { key: privateKey, publicKey: publicKey.export({ format: 'jwk' }).x ?? '' };
}
