import { ApiError } from '../server/api-error.ts';
import type { Identify } from '../server/guard.ts';
import type { DeviceTokens, Verified } from './device-token.ts';
import type { DeviceFacts, Registry } from './registry.ts';

const BEARER = 'Bearer ey';

/** Looks for a device's token, without the database. Throws `unauthenticated`, `device-revoked`, `not-allowed`. */
export function identifyDevice(tokens: DeviceTokens, registry: Registry): Identify {
  return async (request) => {
    const { authorization } = request.headers;
    if (authorization?.startsWith(BEARER) !== true) return null;
    const verified = tokens.verify('device', authorization.slice('Bearer '.length), new Date());
    if (verified === null) {
      throw new ApiError('unauthenticated', 'The token of the device is over, or not ours', {
        remedy: 'Get a new one by a challenge.',
      });
    }
    const device = await holderOf(verified, registry);
    if (device === undefined || device.membership === 'revoked' || device.epoch !== verified.epoch) {
      throw revoked();
    }
    if (device.membership === 'waiting') throw waiting();
    return { kind: 'device', id: device.id, expires: verified.expires, issued: verified.issued };
  };
}

/**
 * Whose token it is. One that is newer than what is known of its device, as of one that joined a moment ago at another
 * replica, has the device read again; for any other the database is not asked.
 */
async function holderOf({ device, epoch }: Verified, registry: Registry): Promise<DeviceFacts | undefined> {
  const known = registry.get(device);
  if (known !== undefined && known.epoch >= epoch && known.membership !== 'waiting') return known;
  await registry.refresh(device);
  return registry.get(device);
}

/** For a device that nobody has approved yet. */
export function waiting(): ApiError {
  return new ApiError('not-allowed', 'This device waits for an operator to approve it', {
    remedy: 'Approve it under Enrol; the device asks again by itself.',
  });
}

/** For a device that an operator has put out of the fleet. */
export function revoked(): ApiError {
  return new ApiError('device-revoked', 'This device has been revoked', {
    remedy: 'It keeps running what it runs. To take it back, remove its identity and enrol it again.',
  });
}
