import type { QueryClient } from '@tanstack/react-query';
import type { Delta, DeviceMap } from '@metrica-fleet/protocol/api';
import { isMadeOld } from './topics.ts';

/** Brings what is on the screen up to date: tiles at once from the delta itself, everything else by asking again. */
export function applyDelta(queries: QueryClient, { states, changed }: Delta): void {
  if (states.length > 0) {
    const now = new Map(states);
    queries.setQueriesData<DeviceMap>({ queryKey: ['deviceMap'] }, (map) => {
      if (map === undefined) return map;
      const devices = map.devices.map((row): DeviceMap['devices'][number] => {
        const state = now.get(row[0]);
        return state === undefined || state === row[2] ? row : (row.with(2, state) as typeof row);
      });
      return { ...map, devices };
    });
  }
  const changes = [...changed, ...states.map(([id]) => ({ topic: 'devices' as const, id }))];
  if (changes.length === 0) return;
  void queries.invalidateQueries({
    // The map has just been painted from the delta; only devices that came or went make it old.
    predicate: ({ queryKey }) =>
      changes.some((change) => isMadeOld(queryKey, change)) &&
      (queryKey[0] !== 'deviceMap' || changed.some(({ topic }) => topic === 'devices')),
  });
}
