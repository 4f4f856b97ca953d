import type { DeviceMap } from '@metrica-fleet/protocol/api';
import { severityOf } from '../../ui/state-table.ts';

/** One device on the map. */
export interface Tile {
  readonly id: string;
  readonly name: string;
  readonly state: DeviceMap['devices'][number][2];
  readonly role: string | null;
  readonly segment: string;
  readonly site: string | null;
  readonly commit: string | null;
}

/** What the map can be grouped by. */
export const GROUPINGS = ['role', 'site', 'segment', 'version', 'state'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface TileGroup {
  readonly label: string;
  /** The worst first, then by name. */
  readonly tiles: readonly Tile[];
}

/** Rows of the device map as tiles in groups: the group with the worst tiles first, so that trouble is on top. */
export function groupTiles(rows: DeviceMap['devices'], grouping: Grouping): readonly TileGroup[] {
  const groups = new Map<string, Tile[]>();
  for (const [id, name, state, role, segment, site, commit] of rows) {
    const tile: Tile = { id, name, state, role, segment, site, commit };
    const label = labelOf(tile, grouping);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [tile]);
    else group.push(tile);
  }
  return [...groups]
    .map(([label, tiles]) => ({ label, tiles: tiles.sort(worstFirst) }))
    .sort((one, other) => compareGroups(one, other));
}

function labelOf(tile: Tile, grouping: Grouping): string {
  if (grouping === 'version')
    return tile.commit === null ? 'nothing yet' : `${tile.role} ${tile.commit.slice(0, 7)}`;
  return tile[grouping] ?? `no ${grouping}`;
}

function worstFirst(one: Tile, other: Tile): number {
  return severityOf(one.state) - severityOf(other.state) || compareText(one.name, other.name);
}

function compareGroups(one: TileGroup, other: TileGroup): number {
  const worst = (group: TileGroup) => severityOf(group.tiles[0]?.state ?? 'healthy');
  return worst(one) - worst(other) || compareText(one.label, other.label);
}

/** Plain order of code points: names are ASCII, and a locale's order costs a second at 10,000. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Up to here every tile is a link with its name; above it the map is painted. */
export const NAMED_TILES = 60;

const GAP = 2;
/** Sides of a painted tile: with room for a glyph, and down to what ten thousand need. Pixels. */
const SIZES = [24, 14, 10] as const;
/** How high the tiles may stand before they are made smaller: most of a screen. Pixels. */
const HEIGHT = 560;

/** Side of a painted tile for a fleet of `count` in a map of `width` pixels. */
export function tileSize(count: number, width: number): number {
  return SIZES.find((size) => (count * (size + GAP) ** 2) / Math.max(width, 1) <= HEIGHT) ?? SIZES[2];
}

const HEADING = 28;
const BETWEEN = 12;

export interface PlacedTile {
  readonly tile: Tile;
  readonly x: number;
  readonly y: number;
}
export interface PlacedGroup {
  readonly label: string;
  readonly count: number;
  readonly y: number;
}
export interface TileLayout {
  readonly size: number;
  readonly height: number;
  readonly groups: readonly PlacedGroup[];
  readonly tiles: readonly PlacedTile[];
  readonly columns: number;
}

/** Where every tile goes in a map of `width` pixels. */
export function placeTiles(groups: readonly TileGroup[], width: number): TileLayout {
  const size = tileSize(
    groups.reduce((sum, { tiles }) => sum + tiles.length, 0),
    width,
  );
  const columns = Math.max(1, Math.floor((width + GAP) / (size + GAP)));
  const placed: { groups: PlacedGroup[]; tiles: PlacedTile[] } = { groups: [], tiles: [] };
  let top = 0;
  for (const { label, tiles } of groups) {
    placed.groups.push({ label, count: tiles.length, y: top });
    const first = top + HEADING;
    for (const [index, tile] of tiles.entries()) {
      const row = Math.floor(index / columns);
      placed.tiles.push({ tile, x: (index % columns) * (size + GAP), y: first + row * (size + GAP) });
    }
    top = first + Math.ceil(tiles.length / columns) * (size + GAP) + BETWEEN;
  }
  return { ...placed, size, columns, height: Math.max(0, top - BETWEEN) };
}

/** The tile under a point of the map; null between tiles. Tiles are in the order of the page, from top to bottom. */
export function tileAt(layout: TileLayout, point: { readonly x: number; readonly y: number }): Tile | null {
  const { size, tiles } = layout;
  for (const { tile, x, y } of tiles) {
    if (point.x >= x && point.x < x + size + GAP && point.y >= y && point.y < y + size + GAP) return tile;
  }
  return null;
}
