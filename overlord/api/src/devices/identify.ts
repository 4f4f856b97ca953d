import { ApiError } from '../server/api-error.ts';
import type { Identify } from '../server/guard.ts';
import type { DeviceTokens } from './device-token.ts';
import type { Registry } from './registry.ts';

const BEARER = 'Bearer ey';

/** Looks for a device's token, without the database. Throws `unauthenticated`, `device-revoked`, `not-allowed`. */
export function identifyDevice(tokens: DeviceTokens, registry: Registry): Identify {
  return async (request) => {
    const { authorization } = request.headers;
    if (authorization?.startsWith(BEARER) !== true) return null;
    const verified = await tokens.verify('device', authorization.slice('Bearer '.length), new Date());
    if (verified === null) {
      throw new ApiError('unauthenticated', 'The token of the device is over, or not ours', {
        remedy: 'Get a new one by a challenge.',
      });
    }
    const device = registry.get(verified.device);
    if (device === undefined || device.membership === 'revoked' || device.epoch !== verified.epoch) {
      throw new ApiError('device-revoked', 'This device has been revoked', {
        remedy: 'It keeps running what it runs. To take it back, enrol it again.',
      });
    }
    if (device.membership === 'waiting') throw waiting();
    return { kind: 'device', id: device.id, expires: verified.expires, issued: verified.issued };
  };
}

/** For a device that nobody has approved yet. */
export function waiting(): ApiError {
  return new ApiError('not-allowed', 'This device waits for an operator to approve it', {
    remedy: 'Approve it under Enrol; the device asks again by itself.',
  });
}
