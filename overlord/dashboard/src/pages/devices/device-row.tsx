import { Link } from '@tanstack/react-router';
import type { DeviceSummary } from '@metrica-fleet/protocol/api';
import { Commit } from '../../ui/commit.tsx';
import { StateLabel } from '../../ui/state-glyph.tsx';
import { Ago } from '../../ui/time.tsx';

/** A device in the list: one row on a desk, a card of a few lines on a phone. */
export function DeviceRow({ device }: { device: DeviceSummary }) {
  const { id, name, membership, state, role, site, segment, running, wanted, problem, lastSeenAt } = device;
  return (
    <li className="relative flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-2 text-13 hover:bg-hover max-md:py-3 md:grid md:grid-cols-[minmax(140px,1.2fr)_112px_minmax(100px,1fr)_minmax(140px,1fr)_minmax(160px,2fr)_88px]">
      <Link
        to="/devices/$id"
        params={{ id }}
        className="truncate text-14 font-medium after:absolute after:inset-0"
      >
        {name}
      </Link>
      {membership === 'active' ? <StateLabel state={state} /> : <span>{membership}</span>}
      <span className="truncate text-ink-2 max-md:w-full md:contents">
        <span className="truncate">{role ?? 'no role'}</span>
        <span className="md:hidden"> · </span>
        <span className="truncate">
          {segment}
          {site !== null && ` · ${site}`}
        </span>
      </span>
      <span className="min-w-0 text-ink-2 max-md:flex-1">
        {problem ?? <Release running={running} wanted={wanted} />}
      </span>
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
