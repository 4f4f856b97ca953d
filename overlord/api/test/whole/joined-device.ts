import { deviceProof, type CheckIn } from '@metrica-fleet/protocol/api';
import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import type { Answer, RunningOverlord } from './running-overlord.ts';

type Headers = Readonly<Record<string, string>>;

/** A device that has joined a running overlord, as far as the overlord can tell. */
export class JoinedDevice {
  readonly id: string;
  readonly key: KeyObject;
  private readonly overlord: RunningOverlord;
  headers: Headers = {};

  private constructor(overlord: RunningOverlord, id: string, key: KeyObject) {
    this.overlord = overlord;
    this.id = id;
    this.key = key;
  }

  /** Joins with a token of its own, in the role `hello`. */
  static async join(overlord: RunningOverlord, admin: Headers): Promise<JoinedDevice> {
    const made = await overlord.call('createEnrolmentToken', { headers: admin, body: { role: 'hello' } });
    const { publicKey, privateKey: key } = generateKeyPairSync('ed25519');
    const evidence = { serial: randomUUID(), machineId: null, model: null, mac: null, arch: 'arm64' };
    const body = {
      version: 1,
      token: made.body.token,
      publicKey: publicKey.export({ format: 'jwk' }).x,
      bootId: 'b',
      evidence,
    };
    const { body: reply } = await overlord.call('enrol', { body });
    const device = new JoinedDevice(overlord, reply.device, key);
    await device.prove();
    return device;
  }

  /** Gets itself a token. */
  async prove(): Promise<Answer> {
    const { body } = await this.overlord.call('deviceChallenge', { body: { device: this.id } });
    const signature = sign(null, Buffer.from(deviceProof(this.id, body.challenge)), this.key);
    const answer = await this.overlord.call('deviceToken', {
      body: { device: this.id, challenge: body.challenge, signature: signature.toString('base64url') },
    });
    this.headers = { authorization: `Bearer ${answer.body.token}` };
    return answer;
  }

  checkIn(changes: Partial<CheckIn> = {}): Promise<Answer> {
    const body = { version: 1, bootId: 'b', position: null, status: null, reports: [], ...changes };
    return this.overlord.call('checkIn', { headers: this.headers, body });
  }
}
