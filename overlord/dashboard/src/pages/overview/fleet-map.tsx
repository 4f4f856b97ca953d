import { useMemo } from 'react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { DeviceMap } from '@metrica-fleet/protocol/api';
import { DEVICE_STATES } from '@metrica-fleet/protocol/device-state';
import { useAnswer } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { Section } from '../../ui/page.tsx';
import { StateGlyph } from '../../ui/state-glyph.tsx';
import { STATE_LOOKS } from '../../ui/state-table.ts';
import { NamedMap } from './named-map.tsx';
import { PaintedMap } from './painted-map.tsx';
import { GROUPINGS, groupTiles, NAMED_TILES, type Grouping } from './tile-layout.ts';

/** The whole fleet in one picture, in groups, the worst first. */
export function FleetMap() {
  const map = useAnswer('deviceMap', {});
  const { by = 'role' } = useSearch({ from: '/fleet/' });
  return (
    <Section title="Fleet" aside={<GroupBy chosen={by} />}>
      <Answer query={map} height={240}>
        {({ devices }) => <Map devices={devices} by={by} />}
      </Answer>
    </Section>
  );
}

function Map({ devices, by }: { devices: DeviceMap['devices']; by: Grouping }) {
  const groups = useMemo(() => groupTiles(devices, by), [devices, by]);
  const counts = useMemo(() => {
    const found = new globalThis.Map<string, number>();
    for (const [, , state] of devices) found.set(state, (found.get(state) ?? 0) + 1);
    return DEVICE_STATES.map((state) => ({ state, count: found.get(state) ?? 0 })).filter(
      ({ count }) => count > 0,
    );
  }, [devices]);
  const inWords = counts
    .map(({ state, count }) => `${count} ${STATE_LOOKS[state].label.toLowerCase()}`)
    .join(', ');
  return (
    <div className="grid gap-4 rounded border border-line p-4">
      <ul className="flex flex-wrap gap-x-4 gap-y-2 text-13">
        {counts.map(({ state, count }) => (
          <li key={state}>
            <Link to="/devices" search={{ state }} className="inline-flex items-center gap-2 hover:underline">
              <StateGlyph state={state} />
              {count} {STATE_LOOKS[state].label.toLowerCase()}
            </Link>
          </li>
        ))}
      </ul>
      {devices.length <= NAMED_TILES ? (
        <NamedMap groups={groups} />
      ) : (
        <PaintedMap groups={groups} label={`Map of ${devices.length} devices: ${inWords}.`} />
      )}
    </div>
  );
}

function GroupBy({ chosen }: { chosen: Grouping }) {
  const navigate = useNavigate({ from: '/' });
  return (
    <label className="inline-flex items-center gap-2 text-13">
      by
      <select
        value={chosen}
        onChange={(event) => void navigate({ search: { by: event.target.value as Grouping }, replace: true })}
        className="control rounded border border-line-strong bg-bg px-2 text-13 text-ink"
      >
        {GROUPINGS.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
