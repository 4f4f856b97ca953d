import { useNavigate } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import { useTheme } from '../../session/theme.ts';
import { STATE_LOOKS } from '../../ui/state-table.ts';
import { useDarkSystem, useWidth } from '../../ui/measure.ts';
import { paintTiles } from './paint-tiles.ts';
import { placeTiles, tileAt, type Tile, type TileGroup } from './tile-layout.ts';

interface Hovered {
  readonly tile: Tile;
  readonly x: number;
  readonly y: number;
}

/** The map of a large fleet, painted. Who cannot see or point has the list of devices, which the page links to. */
export function PaintedMap({ groups, label }: { groups: readonly TileGroup[]; label: string }) {
  const navigate = useNavigate();
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(frame);
  const [theme] = useTheme();
  const dark = useDarkSystem();
  const layout = useMemo(() => placeTiles(groups, width), [groups, width]);
  const [hovered, setHovered] = useState<Hovered | null>(null);

  useLayoutEffect(() => {
    if (canvas.current !== null && width > 0) paintTiles(canvas.current, layout, width);
  }, [layout, width, theme, dark]);
  // A tile that has moved under a resting pointer is not the one that the pointer meant.
  useEffect(() => setHovered(null), [layout]);

  const find = ({ nativeEvent: { offsetX: x, offsetY: y } }: PointerEvent): Hovered | null => {
    const tile = tileAt(layout, { x, y });
    return tile === null ? null : { tile, x, y };
  };
  return (
    <div ref={frame} className="relative" style={{ height: layout.height }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        className={`absolute inset-0 size-full ${hovered === null ? '' : 'cursor-pointer'}`}
        onPointerMove={(event) => setHovered(find(event))}
        onPointerLeave={() => setHovered(null)}
        onPointerUp={(event) => {
          const found = find(event);
          // The first touch says what it is, as hovering does; the second opens it.
          if (event.pointerType === 'touch' && found?.tile.id !== hovered?.tile.id) setHovered(found);
          else if (found !== null) void navigate({ to: '/devices/$id', params: { id: found.tile.id } });
        }}
      />
      {hovered !== null && <Label hovered={hovered} width={width} />}
    </div>
  );
}

function Label({ hovered: { tile, x, y }, width }: { hovered: Hovered; width: number }) {
  const place = x > width / 2 ? { right: width - x + 8, top: y + 12 } : { left: x + 12, top: y + 12 };
  return (
    <div
      className="pointer-events-none absolute z-10 rounded border border-line-strong bg-raised px-2 py-1 text-12 whitespace-nowrap"
      style={place}
    >
      <div className="font-medium">{tile.name}</div>
      <div className="text-ink-2">
        {STATE_LOOKS[tile.state].label}
        {tile.role !== null && ` · ${tile.role}`}
        {tile.commit !== null && ` ${tile.commit.slice(0, 7)}`}
      </div>
    </div>
  );
}
