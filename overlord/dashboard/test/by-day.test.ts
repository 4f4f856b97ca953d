import type { DeviceEvent } from '@metrica-fleet/protocol/api';
import { expect, it } from 'vitest';
import { groupByDay } from '../src/pages/device/by-day.ts';

const event = (id: string, at: Date): DeviceEvent => ({
  id,
  at: at.toISOString(),
  device: '11111111-1111-4111-8111-111111111111',
  deviceName: 'pi',
  kind: 'updated',
  role: null,
  commit: null,
  text: '',
  problem: null,
  hasLog: false,
});

it('cuts the timeline where the reader’s day changes', () => {
  const days = groupByDay([
    event('c', new Date(2026, 0, 2, 0, 1)),
    event('b', new Date(2026, 0, 1, 23, 59)),
    event('a', new Date(2026, 0, 1, 0, 0)),
  ]);
  expect(days.map(({ day, events }) => [day, events.map(({ id }) => id)])).toEqual([
    ['2026-1-2', ['c']],
    ['2026-1-1', ['b', 'a']],
  ]);
  expect(groupByDay([])).toEqual([]);
});
