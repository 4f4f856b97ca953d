import type { RouteName } from '@metrica-fleet/protocol/api';

/** What one caller may take. */
export const LIMITS = {
  /** Bytes of a body, unless MESSAGES says otherwise. */
  body: 64 * 1024,
  /** Milliseconds for the whole of a request to arrive. */
  requestTime: 60_000,
  /** Milliseconds that a connection is kept without a request. */
  idleConnection: 72_000,
} as const;

interface Rate {
  readonly max: number;
  readonly timeWindow: string;
}

/**
 * Tries per address: guessing a password or a token must not pay. Enrolment has more, since a shop's devices share one
 * address behind NAT.
 */
export const RATES: Readonly<Partial<Record<RouteName, Rate>>> = {
  signIn: { max: 10, timeWindow: '1 minute' },
  createFirstAdmin: { max: 10, timeWindow: '1 minute' },
  enrol: { max: 600, timeWindow: '1 minute' },
};
