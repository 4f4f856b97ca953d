import { deviceProof } from '@metrica-fleet/protocol/api';
import type { Kysely } from 'kysely';
import { createPublicKey, verify } from 'node:crypto';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import type { DeviceTokens } from './device-token.ts';
import { revoked, waiting } from './identify.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  readonly tokens: DeviceTokens;
}

/** How a device gets its token: a challenge of ours, signed with the key that never left it. Its clock does not matter. */
export function tokenRoutes({ db, tokens }: Ports): HandlersOf<'deviceChallenge' | 'deviceToken'> {
  return {
    // Says nothing about whether there is such a device, and keeps nothing: the challenge carries its own proof.
    deviceChallenge: async ({ body }) => {
      const now = new Date();
      const challenge = await tokens.make('challenge', { device: body.device, epoch: 0, now });
      return { challenge, time: timeOf(now) };
    },

    deviceToken: async ({ body: { device, challenge, signature } }) => {
      const now = new Date();
      const verified = tokens.verify('challenge', challenge, now);
      if (verified?.device !== device) {
        throw new ApiError('unauthenticated', 'The challenge is over, or was not given to this device', {
          field: '/challenge',
          remedy: 'Ask for a new one.',
        });
      }
      const row = await db
        .selectFrom('devices')
        .select(['public_key', 'epoch', 'membership'])
        .where('id', '=', device)
        .executeTakeFirst();
      const proof = Buffer.from(deviceProof(device, challenge));
      if (row === undefined || row.public_key === null || !isSigned(row.public_key, proof, signature)) {
        throw new ApiError('unauthenticated', 'The signature is not by the key of this device', {
          field: '/signature',
          remedy: 'Was it enrolled with this overlord? If its key is lost, enrol it again.',
        });
      }
      if (row.membership === 'revoked') throw revoked();
      if (row.membership === 'waiting') throw waiting();
      return {
        token: await tokens.make('device', { device, epoch: row.epoch, now }),
        expires: timeOf(new Date(now.getTime() + tokens.life.device * 1000)),
      };
    },
  };
}

/** Ed25519 (RFC 8032); keys and signatures are the raw bytes in base64url. */
function isSigned(publicKey: string, bytes: Buffer, signature: string): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return verify(null, bytes, key, Buffer.from(signature, 'base64url'));
}
