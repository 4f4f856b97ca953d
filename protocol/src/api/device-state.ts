import type { Status } from '../status.ts';

/** How a device stands, in one word, worst first: what its tile shows. When several hold, the first of the list does. */
export const DEVICE_STATES = [
  'conflict',
  'failed',
  'offline',
  'degraded',
  'updating',
  'held',
  'pending',
  'healthy',
] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

export interface DeviceFacts {
  /** False: neither an open stream nor a check-in within its time. */
  readonly online: boolean;
  /** Two boards show the same key, or one key two boards. */
  readonly conflict: boolean;
  /** An operator has switched its updates off or locked its version. */
  readonly held: boolean;
  /** What it last said of itself; null before its first check-in. */
  readonly status: Pick<Status, 'health'> | null;
}

/** The state of a device; «pending» is one that has not said anything yet, or runs nothing. */
export function deviceStateOf({ online, conflict, held, status }: DeviceFacts): DeviceState {
  if (conflict) return 'conflict';
  if (status?.health === 'failed') return 'failed';
  if (!online) return status === null ? 'pending' : 'offline';
  if (status === null || status.health === 'empty') return 'pending';
  if (status.health !== 'healthy') return status.health;
  return held ? 'held' : 'healthy';
}
