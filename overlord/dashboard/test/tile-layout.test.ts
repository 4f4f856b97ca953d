import type { DeviceMap } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { describe, expect, it } from 'vitest';
import { groupTiles, placeTiles, tileAt, tileSize } from '../src/pages/overview/tile-layout.ts';

type Row = DeviceMap['devices'][number];

const row = (name: string, state: DeviceState, role: string | null = 'camera'): Row => [
  `id-${name}`,
  name,
  state,
  role,
  'general',
  null,
  'a'.repeat(40),
];

describe('groups of tiles', () => {
  it('come with the worst on top, in the group and among the groups', () => {
    const groups = groupTiles(
      [
        row('b', 'healthy', 'camera'),
        row('a', 'healthy', 'camera'),
        row('c', 'healthy', 'hub'),
        row('d', 'failed', 'hub'),
      ],
      'role',
    );
    expect(groups.map(({ label }) => label)).toEqual(['hub', 'camera']);
    expect(groups.map(({ tiles }) => tiles.map(({ name }) => name))).toEqual([
      ['d', 'c'],
      ['a', 'b'],
    ]);
  });

  it('name what a device does not have, and the version by role and commit', () => {
    const rows = [row('a', 'healthy', null)];
    expect(groupTiles(rows, 'role')[0]?.label).toBe('no role');
    expect(groupTiles(rows, 'site')[0]?.label).toBe('no site');
    expect(groupTiles([row('b', 'healthy')], 'version')[0]?.label).toBe('camera aaaaaaa');
  });
});

describe('the layout', () => {
  const groups = groupTiles(
    Array.from({ length: 500 }, (_, index) => row(`pi-${String(index).padStart(3, '0')}`, 'healthy')),
    'role',
  );

  it('makes smaller tiles for a larger fleet and a smaller screen, 10 px for ten thousand', () => {
    expect([400, 2_000, 10_000].map((count) => tileSize(count, 1_200))).toEqual([24, 14, 10]);
    expect([100, 400, 2_000].map((count) => tileSize(count, 330))).toEqual([24, 14, 10]);
  });

  it('places every tile within the width, and none on another', () => {
    const { tiles, size, height } = placeTiles(groups, 390);
    expect(tiles).toHaveLength(500);
    expect(Math.max(...tiles.map(({ x }) => x + size))).toBeLessThanOrEqual(390);
    expect(Math.max(...tiles.map(({ y }) => y + size))).toBeLessThanOrEqual(height);
    expect(new Set(tiles.map(({ x, y }) => `${x} ${y}`)).size).toBe(500);
  });

  it('finds the tile under a point, and none beside the tiles', () => {
    const layout = placeTiles(groups, 390);
    const placed = layout.tiles[123];
    expect(placed && tileAt(layout, { x: placed.x + 3, y: placed.y + 3 })).toBe(placed?.tile);
    expect(tileAt(layout, { x: 3, y: 3 })).toBeNull();
    expect(tileAt(layout, { x: 3, y: layout.height + 50 })).toBeNull();
  });

  it('holds without a device, and in no width at all', () => {
    expect(placeTiles([], 390)).toMatchObject({ height: 0, tiles: [] });
    expect(placeTiles(groups, 0).columns).toBe(1);
  });
});
