import { QueryClient } from '@tanstack/react-query';
import { ROUTES, TOPICS, type Delta, type DeviceMap } from '@metrica-fleet/protocol/api';
import { describe, expect, it } from 'vitest';
import { applyDelta } from '../src/live/apply-delta.ts';
import { isMadeOld, MADE_OLD } from '../src/live/topics.ts';

const ONE = '11111111-1111-4111-8111-111111111111';
const TWO = '22222222-2222-4222-8222-222222222222';

describe('what a change makes old', () => {
  it('names routes that exist, for every topic', () => {
    expect(Object.keys(MADE_OLD).sort()).toEqual([...TOPICS].sort());
    for (const name of Object.values(MADE_OLD).flat()) expect(ROUTES).toHaveProperty(name);
  });

  it('is a page about one thing only when the change names that thing', () => {
    const key = ['showDevice', { params: { id: ONE } }];
    expect(isMadeOld(key, { topic: 'devices', id: ONE })).toBe(true);
    expect(isMadeOld(key, { topic: 'devices', id: TWO })).toBe(false);
    expect(isMadeOld(key, { topic: 'devices', id: '' })).toBe(true);
    expect(isMadeOld(key, { topic: 'releases', id: ONE })).toBe(false);
  });

  it('is every list of its kind', () => {
    expect(isMadeOld(['listDevices', { query: { state: 'failed' } }], { topic: 'devices', id: ONE })).toBe(
      true,
    );
  });
});

describe('a delta', () => {
  const map: DeviceMap = {
    time: '2026-01-01T00:00:00Z',
    devices: [
      [ONE, 'one', 'healthy', 'camera', 'general', null, null],
      [TWO, 'two', 'healthy', 'camera', 'general', null, null],
    ],
  };
  const queries = () => {
    const client = new QueryClient();
    client.setQueryData(['deviceMap', {}], map);
    client.setQueryData(['overview', {}], {});
    client.setQueryData(['me', {}], {});
    return client;
  };
  const isOld = (client: QueryClient, name: string) => client.getQueryState([name, {}])?.isInvalidated;
  const delta = (changes: Partial<Delta>): Delta => ({ id: '1', states: [], changed: [], ...changes });

  it('paints tiles at once, and asks again for what is aggregated, not for the map', () => {
    const client = queries();
    applyDelta(client, delta({ states: [[TWO, 'failed']] }));
    const after = client.getQueryData<DeviceMap>(['deviceMap', {}]);
    expect(after?.devices.map(([, , state]) => state)).toEqual(['healthy', 'failed']);
    expect([isOld(client, 'overview'), isOld(client, 'deviceMap')]).toEqual([true, false]);
  });

  it('asks for the map again when devices came or went', () => {
    const client = queries();
    applyDelta(client, delta({ changed: [{ topic: 'devices', id: '' }] }));
    expect(isOld(client, 'deviceMap')).toBe(true);
  });

  it('that is empty touches nothing', () => {
    const client = queries();
    applyDelta(client, delta({}));
    expect([isOld(client, 'overview'), isOld(client, 'deviceMap'), isOld(client, 'me')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
