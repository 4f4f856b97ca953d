import { errors, jwtVerify, SignJWT } from 'jose';

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

/** A device's token is good for a day, a challenge for a minute. Seconds. */
export const LIFE = { device: 86_400, challenge: 60 } as const;

/** Verified tokens that are remembered. A device shows the same one all day. */
const REMEMBERED = 20_000;
const ALGORITHM = 'HS256';

/** Makes and checks the short-lived tokens of devices: JWTs with HMAC-SHA-256, checked without the database. */
export class DeviceTokens {
  private readonly key: Uint8Array;
  private readonly remembered = new Map<string, Verified>();

  /** `key` has 32 bytes, the same for all replicas. */
  constructor(key: Uint8Array) {
    this.key = key;
  }

  async make(
    use: Use,
    { device, epoch, now }: { device: string; epoch: number; now: Date },
  ): Promise<string> {
    const issued = Math.floor(now.getTime() / 1000);
    return new SignJWT({ epoch })
      .setProtectedHeader({ alg: ALGORITHM })
      .setAudience(use)
      .setSubject(device)
      .setIssuedAt(issued)
      .setExpirationTime(issued + LIFE[use])
      .sign(this.key);
  }

  /** Null for what is not ours, is for another use, or is over. */
  async verify(use: Use, token: string, now: Date): Promise<Verified | null> {
    const known = use === 'device' ? this.remembered.get(token) : undefined;
    if (known !== undefined && known.expires > now) return known;
    try {
      const options = { algorithms: [ALGORITHM], audience: use, currentDate: now };
      const { payload } = await jwtVerify<{ readonly epoch: number }>(token, this.key, options);
      const verified: Verified = {
        device: payload.sub ?? '',
        epoch: payload.epoch,
        issued: new Date((payload.iat ?? 0) * 1000),
        expires: new Date((payload.exp ?? 0) * 1000),
      };
      if (use === 'device') this.remember(token, verified);
      return verified;
    } catch (thrown) {
      if (thrown instanceof errors.JOSEError) return null;
      throw thrown;
    }
  }

  /** The oldest makes room: a Map gives its keys in the order in which they came. */
  private remember(token: string, verified: Verified): void {
    const oldest = this.remembered.keys().next();
    if (this.remembered.size >= REMEMBERED && oldest.done !== true) this.remembered.delete(oldest.value);
    this.remembered.set(token, verified);
  }
}

/** True when a token has less than a third of its life left: time for a new one. */
export function isAging({ issued, expires }: Pick<Verified, 'issued' | 'expires'>, now: Date): boolean {
  return (expires.getTime() - now.getTime()) * 3 < expires.getTime() - issued.getTime();
}
