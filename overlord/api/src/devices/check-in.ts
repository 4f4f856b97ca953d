import type { CheckIn, CheckInReply, DesiredState } from '@metrica-fleet/protocol/api';
import { REPORTS_LIMIT } from '@metrica-fleet/protocol/api';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import { CommitGroup } from './commit-group.ts';
import { isAging, type DeviceTokens } from './device-token.ts';
import type { DeviceFacts, Registry } from './registry.ts';
import { writeCheckIns, type CheckInWriter, type Written } from './write-check-ins.ts';

/** What a device should run, from the code that decides and explains. */
export interface Wanted {
  readonly position: string;
  readonly desired: DesiredState | 'nothing';
}

export interface CheckInPorts extends CheckInWriter {
  readonly registry: Registry;
  readonly tokens: DeviceTokens;
  /** Null: it keeps what it has. */
  readonly wantedBy: (device: DeviceFacts, position: string | null) => Wanted | null;
  /** After the commit: devices whose state may look different now. */
  readonly changed: (devices: readonly string[]) => void;
}

/** One check-in on its way to the database. */
export interface Arrived {
  readonly device: DeviceFacts;
  readonly body: CheckIn;
  readonly at: Date;
}

/**
 * Two lanes, because one group may be computed while the disk flushes the other. The queue holds what the server can
 * write in a few seconds: a device that is refused comes back later, one that waits for minutes would give up anyway.
 */
const GROUPS = { most: 250, lanes: 2, queue: 20_000 } as const;

/** The check-in: status and reports up, written for good before the answer; desired state, orders and token down. */
export function checkInRoutes(ports: CheckInPorts): HandlersOf<'checkIn'> {
  const group = new CommitGroup<Arrived, Written>({
    ...GROUPS,
    commit: (arrived) => writeCheckIns(ports, arrived),
    refuse: () =>
      new ApiError('unavailable', 'Too many devices check in at once', { remedy: 'Come back later.' }),
  });
  return {
    checkIn: async ({ body, caller }) => {
      const device = ports.registry.get(caller.id);
      if (device === undefined) throw new ApiError('device-revoked', 'This device is not there any more');
      const at = new Date();
      const written = await group.submit({ device, body, at });
      if (written.changed) ports.changed([device.id]);
      const wanted = ports.wantedBy(device, body.position);
      const reply: CheckInReply = { time: timeOf(at) };
      if (wanted !== null && wanted.position !== body.position) reply.desired = wanted.desired;
      if (written.orders.length > 0) reply.orders = [...written.orders];
      if (body.reports.length > 0)
        reply.acknowledged = body.reports.slice(0, REPORTS_LIMIT).map(({ id }) => id);
      if (written.statusWanted) reply.statusWanted = true;
      if (isAging(caller, at)) {
        reply.token = await ports.tokens.make('device', { device: device.id, epoch: device.epoch, now: at });
      }
      return reply;
    },
  };
}
