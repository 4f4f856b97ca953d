import type { CheckIn, CheckInReply, DesiredState } from '@metrica-fleet/protocol/api';
import type { Logger } from 'pino';
import { isOutage } from '../db/outage.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import { CommitGroup } from './commit-group.ts';
import { isAging, type DeviceTokens } from './device-token.ts';
import { revoked } from './identify.ts';
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
  readonly log: Logger;
  /** Null: it keeps what it has. */
  readonly wantedBy: (device: DeviceFacts, position: string | null) => Wanted | null;
  /** After the commit: devices of which people may see something new. */
  readonly changed: (devices: readonly string[]) => void;
}

/** One check-in on its way to the database. */
export interface Arrived {
  readonly device: DeviceFacts;
  readonly body: CheckIn;
  readonly at: Date;
  /** Of the body. */
  readonly bytes: number;
}

/**
 * Two lanes, because one group may be computed while the disk flushes the other. The queue holds what the server can
 * write in a few seconds, and what its memory bears: a device that is refused comes back later, one that waits for
 * minutes would give up anyway.
 */
const LIMITS = {
  lanes: 2,
  // Measured at 500 check-ins a second: half of the CPU of each, for 3 ms more until its answer.
  pace: { time: 10, items: 50 },
  group: { items: 500, bytes: 4 * 1024 * 1024 },
  queue: { items: 20_000, bytes: 128 * 1024 * 1024 },
} as const;

/** The check-in: status and reports up, written for good before the answer; desired state, orders and token down. */
export function checkInRoutes(ports: CheckInPorts): HandlersOf<'checkIn'> {
  const group = new CommitGroup<Arrived, Written>({
    ...LIMITS,
    weigh: ({ bytes }) => bytes,
    commit: (arrived) => commit(ports, arrived),
    refuse: () => unavailable('Too many devices check in at once'),
    noFaultOfItems: (thrown) => {
      if (!isOutage(thrown)) return null;
      ports.log.error({ err: thrown }, 'Check-ins could not be written');
      return unavailable('The database does not answer');
    },
  });
  return {
    checkIn: async ({ body, caller, request }) => {
      const device = ports.registry.get(caller.id);
      if (device === undefined) throw revoked();
      const at = new Date();
      const bytes = Number(request.headers['content-length'] ?? JSON.stringify(body).length);
      const written = await group.submit({ device, body, at, bytes });
      const wanted = ports.wantedBy(device, body.position);
      const reply: CheckInReply = { time: timeOf(at) };
      if (wanted !== null && wanted.position !== body.position) reply.desired = wanted.desired;
      if (written.orders.length > 0) reply.orders = [...written.orders];
      if (body.reports.length > 0) reply.acknowledged = body.reports.map(({ id }) => id);
      if (written.statusWanted) reply.statusWanted = true;
      if (isAging(caller, at)) {
        reply.token = await ports.tokens.make('device', { device: device.id, epoch: device.epoch, now: at });
      }
      return reply;
    },
  };
}

async function commit(ports: CheckInPorts, arrived: readonly Arrived[]): Promise<readonly Written[]> {
  const written = await writeCheckIns(ports, arrived);
  const changed = arrived.filter((_, index) => written[index]?.changed).map(({ device }) => device.id);
  if (changed.length > 0) ports.changed([...new Set(changed)]);
  return written;
}

function unavailable(what: string): ApiError {
  return new ApiError('unavailable', what, { remedy: 'Come back later.' });
}
