import type { DeviceState } from '@metrica-fleet/protocol/api';
import { sql, type RawBuilder } from 'kysely';

/**
 * `deviceStateOf` of the protocol in SQL, over `devices` and `device_status`: lists are filtered and counted by the
 * server. A test holds the two against each other.
 */
export const ONLINE: RawBuilder<boolean> = sql<boolean>`coalesce(
  device_status.connected_until > now()
  or device_status.seen_at > now() - device_status.check_in_interval * interval '2.5 seconds', false)`;

export const STATE: RawBuilder<DeviceState> = sql<DeviceState>`case
  when devices.conflict then 'conflict'
  when device_status.health = 'failed' then 'failed'
  when not ${ONLINE} then case when device_status.health is null then 'pending' else 'offline' end
  when device_status.health is null or device_status.health = 'empty' then 'pending'
  when device_status.health <> 'healthy' then device_status.health
  when devices.updates_off then 'held'
  else 'healthy' end`;
