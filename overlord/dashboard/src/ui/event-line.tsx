import { Link } from '@tanstack/react-router';
import type { DeviceEvent } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { StateGlyph } from './state-glyph.tsx';
import { Ago } from './time.tsx';

/** What an event looks like; kinds that are only good to know have the dashed sign. */
const GLYPHS: Partial<Record<DeviceEvent['kind'], DeviceState>> = {
  staging: 'updating',
  activated: 'updating',
  updated: 'healthy',
  repaired: 'healthy',
  rebuilt: 'healthy',
  failed: 'failed',
  'safe-mode': 'failed',
  reverted: 'degraded',
  delayed: 'degraded',
  outage: 'offline',
  revoked: 'held',
};

/** The sign of an event. */
export function EventGlyph({ kind }: { kind: DeviceEvent['kind'] }) {
  return <StateGlyph state={GLYPHS[kind] ?? 'pending'} />;
}

/** One event of some device, for lists that are about many. */
export function EventLine({ event }: { event: DeviceEvent }) {
  return (
    <li className="flex items-start gap-3 px-4 py-2 text-13">
      <span className="pt-0.5">
        <EventGlyph kind={event.kind} />
      </span>
      <span className="min-w-0 flex-1">
        <Link to="/devices/$id" params={{ id: event.device }} className="font-medium hover:underline">
          {event.deviceName}
        </Link>{' '}
        <span className="text-ink-2">{event.text}</span>
      </span>
      <span className="text-ink-3">
        <Ago at={event.at} />
      </span>
    </li>
  );
}
