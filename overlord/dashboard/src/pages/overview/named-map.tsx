import { Link } from '@tanstack/react-router';
import { StateGlyph } from '../../ui/state-glyph.tsx';
import { STATE_LOOKS } from '../../ui/state-table.ts';
import type { Tile, TileGroup } from './tile-layout.ts';

/** The map of a small fleet: each device by its name, each a link. */
export function NamedMap({ groups }: { groups: readonly TileGroup[] }) {
  return (
    <div className="grid gap-4">
      {groups.map(({ label, tiles }) => (
        <section key={label} className="grid gap-2">
          <h3 className="text-13 font-medium">
            {label} <span className="font-normal text-ink-3">{tiles.length}</span>
          </h3>
          <ul className="grid grid-cols-[repeat(auto-fill,minmax(104px,1fr))] gap-2">
            {tiles.map((tile) => (
              <li key={tile.id}>
                <NamedTile tile={tile} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function NamedTile({ tile: { id, name, state } }: { tile: Tile }) {
  const { label, color } = STATE_LOOKS[state];
  return (
    <Link
      to="/devices/$id"
      params={{ id }}
      title={`${name}: ${label}`}
      className="flex h-12 items-center gap-2 rounded border px-2 hover:bg-hover"
      style={{ borderColor: `color-mix(in srgb, var(${color}) 40%, transparent)` }}
    >
      <StateGlyph state={state} size={20} />
      <span className="min-w-0">
        <span className="block truncate text-12 font-medium">{name}</span>
        <span className="block truncate text-12 text-ink-3">{label}</span>
      </span>
    </Link>
  );
}
