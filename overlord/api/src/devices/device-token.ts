import { SignJWT } from 'jose';
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** What a token is for. A challenge proves nothing yet: the device signs it with its key to get a token. */
type Use = 'device' | 'challenge';

/** A token that was ours, is for this use, and is not over. */
export interface Verified {
  readonly device: string;
  /** Of the device when the token was made: revocation counts it up. */
  readonly epoch: number;
  readonly issued: Date;
  readonly expires: Date;
}

interface Claims {
  readonly aud: Use;
  readonly sub: string;
  readonly epoch: number;
  readonly iat: number;
  readonly exp: number;
}

/** A device's token is good for a day unless the configuration says otherwise, a challenge for a minute. Seconds. */
export const LIFE = { device: 86_400, challenge: 60 } as const;

const HEADER = { alg: 'HS256' } as const;
/** Tokens of ours have this header and no other: nobody chooses an algorithm for us. */
const HEADER_PART = Buffer.from(JSON.stringify(HEADER)).toString('base64url');

/**
 * Makes and checks the short-lived tokens of devices: JWTs (RFC 7519) with HMAC-SHA-256, checked without the database.
 * They are checked by node:crypto, since every check-in pays for it: 5 µs, where jose takes 20 to 150 on its way through
 * the thread pool.
 */
export class DeviceTokens {
  /** How long a new token is good. Seconds. */
  readonly life: Readonly<Record<Use, number>>;
  private readonly key: KeyObject;

  /** `key` has 32 bytes, the same for all replicas; `deviceLife` is that of a device's token in seconds. */
  constructor(key: Uint8Array, deviceLife: number = LIFE.device) {
    this.key = createSecretKey(key);
    this.life = { ...LIFE, device: deviceLife };
  }

  async make(
    use: Use,
    { device, epoch, now }: { device: string; epoch: number; now: Date },
  ): Promise<string> {
    const issued = Math.floor(now.getTime() / 1000);
    return new SignJWT({ epoch })
      .setProtectedHeader(HEADER)
      .setAudience(use)
      .setSubject(device)
      .setIssuedAt(issued)
      .setExpirationTime(issued + this.life[use])
      .sign(this.key);
  }

  /** Null for what is not ours, is for another use, or is over. */
  verify(use: Use, token: string, now: Date): Verified | null {
    const [header, payload, signature, ...more] = token.split('.');
    if (header !== HEADER_PART || payload === undefined || signature === undefined || more.length > 0)
      return null;
    const expected = createHmac('sha256', this.key).update(`${header}.${payload}`).digest();
    const shown = Buffer.from(signature, 'base64url');
    if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) return null;
    // What we have signed has the shape that we gave it.
    const { aud, sub, epoch, iat, exp } = JSON.parse(
      Buffer.from(payload, 'base64url').toString('utf8'),
    ) as Claims;
    const expires = new Date(exp * 1000);
    if (aud !== use || expires <= now) return null;
    return { device: sub, epoch, issued: new Date(iat * 1000), expires };
  }
}

/** True when a token has less than a third of its life left: time for a new one. */
export function isAging({ issued, expires }: Pick<Verified, 'issued' | 'expires'>, now: Date): boolean {
  return (expires.getTime() - now.getTime()) * 3 < expires.getTime() - issued.getTime();
}
