import { Link } from '@tanstack/react-router';
import type { DeviceSummary } from '@metrica-fleet/protocol/api';
import { Commit } from '../../ui/commit.tsx';
import { StateLabel } from '../../ui/state-glyph.tsx';
import { Ago } from '../../ui/time.tsx';

/** A device in the list: one row on a desk, a card of a few lines on a phone. */
export function DeviceRow({ device }: { device: DeviceSummary }) {
  const { id, name, membership, state, role, site, segment, running, wanted, problem, lastSeenAt } = device;
  return (
    <li className="relative grid gap-x-4 gap-y-1 px-4 py-2 text-13 hover:bg-hover md:grid-cols-[minmax(140px,1.2fr)_112px_minmax(100px,1fr)_minmax(140px,1fr)_minmax(160px,2fr)_88px] md:items-center">
      <Link
        to="/devices/$id"
        params={{ id }}
        className="truncate text-14 font-medium after:absolute after:inset-0 max-md:py-1"
      >
        {name}
      </Link>
      <span>{membership === 'active' ? <StateLabel state={state} /> : membership}</span>
      <span className="truncate text-ink-2">{role ?? 'no role'}</span>
      <span className="truncate text-ink-2">
        {segment}
        {site !== null && ` · ${site}`}
      </span>
      <span className="min-w-0 text-ink-2">{problem ?? <Release running={running} wanted={wanted} />}</span>
      <span className="text-ink-3 md:text-right">
        {lastSeenAt === null ? 'never seen' : <Ago at={lastSeenAt} />}
      </span>
    </li>
  );
}

function Release({ running, wanted }: Pick<DeviceSummary, 'running' | 'wanted'>) {
  return (
    <>
      <Commit commit={running} />
      {wanted !== null && wanted !== running && (
        <>
          {' → '}
          <Commit commit={wanted} />
        </>
      )}
    </>
  );
}
