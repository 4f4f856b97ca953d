import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { STATE_LOOKS } from './state-table.ts';

/** The sign of a state, the same as its tile on the map. Says nothing to a screen reader: its word stands beside it. */
export function StateGlyph({ state, size = 16 }: { state: DeviceState; size?: number }) {
  const { color, shape, glyph, solid } = STATE_LOOKS[state];
  const paint = `var(${color})`;
  return (
    <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" className="shrink-0">
      {shape === 'filled' ? (
        <rect x="0.5" y="0.5" width="15" height="15" rx="3.5" fill={paint} />
      ) : (
        <rect
          x="1.5"
          y="1.5"
          width="13"
          height="13"
          rx="3"
          fill="none"
          stroke={paint}
          strokeWidth="2"
          strokeDasharray={shape === 'dashed' ? '3.2 2.6' : undefined}
        />
      )}
      {glyph !== null && (
        <path
          d={glyph}
          fill={solid ? 'var(--bg)' : 'none'}
          stroke={solid ? 'none' : 'var(--bg)'}
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      )}
    </svg>
  );
}

/** Glyph and word. */
export function StateLabel({ state }: { state: DeviceState }) {
  return (
    <span className="flex items-center gap-2 whitespace-nowrap">
      <StateGlyph state={state} />
      {STATE_LOOKS[state].label}
    </span>
  );
}
