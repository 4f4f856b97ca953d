import type { DeviceState } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Change } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { joinedDevices } from '../devices/device-rows.ts';
import { STATE } from '../devices/state-sql.ts';
import type { HandlersOf } from '../server/handler.ts';
import { DashboardFeed } from './dashboard-feed.ts';
import { DeviceNews } from './device-news.ts';
import { DeviceStreams, deviceSignalRoutes } from './device-signals-route.ts';
import { Presence } from './presence.ts';
import { forgetSignals, SignalHub, type HubPorts } from './signal-hub.ts';
import { streamRoutes } from './stream-route.ts';

export interface SignalPorts extends HubPorts {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
  readonly now: () => Date;
  /** Sets this replica, in this life, apart from others: any random text. */
  readonly epoch: string;
  readonly times?: Partial<SignalTimes>;
}

/** Milliseconds. */
export interface SignalTimes {
  /** Of streams of devices whose role asks for none. Default: two minutes, which NAT boxes and LTE modems bear. */
  readonly deviceHeartbeat: number;
  /** Of streams of dashboards. Default: 15 seconds. */
  readonly dashboardHeartbeat: number;
  /** Between two deltas for dashboards, and two pieces of news of devices. Default: half a second. */
  readonly delta: number;
  /** For which comings and goings of devices are gathered. Default: two seconds. */
  readonly presence: number;
  /** Until a device whose stream has ended is no longer online by it. Default: 90 seconds; they take up to 35 to come back. */
  readonly away: number;
  /** For which it holds that a device listens, should this replica die. Default: 15 minutes. */
  readonly lease: number;
}

const TIMES: SignalTimes = {
  deviceHeartbeat: 120_000,
  dashboardHeartbeat: 15_000,
  delta: 500,
  presence: 2_000,
  away: 90_000,
  lease: 900_000,
};
const HOUR = 3_600_000;

/** What the overlord says without being asked: wake-ups to devices, deltas to dashboards. */
export interface Signals {
  readonly routes: HandlersOf<'deviceSignals' | 'stream'>;
  /** To be called before the server listens. */
  begin(): Promise<void>;
  /** To be called for each change that is announced. */
  onChange(change: Change): void;
  /** To be called after each gap in the news. */
  onGap(): void;
  /** After a commit: devices that may look different now. */
  changed(devices: readonly string[]): void;
  /** Whether a device listens at this replica. */
  connected(device: string): boolean;
  /** Ends all streams, and takes back the word that they are open. */
  stop(): Promise<void>;
}

export function buildSignals(ports: SignalPorts): Signals {
  const { db, log, now, epoch } = ports;
  const times = { ...TIMES, ...ports.times };
  const hub = new SignalHub(ports);
  const news = new DeviceNews({ db, log, pause: times.delta });
  const changed = (devices: readonly string[]): void => news.changed(devices);
  const presence = new Presence({
    db,
    log,
    now,
    changed,
    pause: times.presence,
    away: times.away,
    lease: times.lease,
  });
  const streams = new DeviceStreams();
  const feed = new DashboardFeed({ log, epoch, pause: times.delta, statesOf: (ids) => statesOf(db, ids) });
  const timers = [
    setInterval(() => void presence.renew(), times.lease / 3).unref(),
    setInterval(() => {
      forgetSignals(db).catch((thrown: unknown) =>
        log.warn({ reason: String(thrown) }, 'Old signals could not be forgotten'),
      );
    }, HOUR).unref(),
  ];
  const closeRevoked = (ids: readonly string[]): void => {
    revokedOf(db, ids).then(
      (revoked) => revoked.forEach((id) => streams.close(id)),
      (thrown: unknown) => log.warn({ reason: String(thrown) }, 'Revoked devices could not be looked up'),
    );
  };
  return {
    routes: {
      ...deviceSignalRoutes({ hub, presence, streams, now, heartbeat: times.deviceHeartbeat }),
      ...streamRoutes({ feed, heartbeat: times.dashboardHeartbeat }),
    },
    begin: () => hub.begin(),
    onChange(change) {
      feed.onChange(change);
      if (change.topic === 'signals') void hub.fanOut();
      if (change.topic !== 'devices') return;
      closeRevoked(change.id === '' ? streams.devices() : streams.has(change.id) ? [change.id] : []);
    },
    onGap() {
      feed.onGap();
      void hub.fanOut();
      closeRevoked(streams.devices());
    },
    changed,
    connected: (device) => presence.connected(device),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      streams.closeAll();
      await presence.stop();
    },
  };
}

async function revokedOf(db: Kysely<Schema>, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('devices')
    .select('id')
    .where(sql<boolean>`id = any(${ids}::uuid[])`)
    .where('membership', '=', 'active')
    .execute();
  const active = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !active.has(id));
}

async function statesOf(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<readonly (readonly [string, DeviceState])[]> {
  const rows = await joinedDevices(db)
    .select(['devices.id', STATE.as('state')])
    .where('devices.id', 'in', ids)
    .where('devices.membership', '=', 'active')
    .execute();
  return rows.map(({ id, state }) => [id, state]);
}
