import { DEVICE_STATES, type DeviceState } from '@metrica-fleet/protocol/device-state';

/** How a state is drawn: filled with a glyph, hollow, or dashed. Colour is never the only sign. */
export interface StateLook {
  readonly label: string;
  /** Custom property that holds its colour. */
  readonly color: `--${string}`;
  readonly shape: 'filled' | 'hollow' | 'dashed';
  /** Path of the glyph in a box of 16; stroked unless `solid`. */
  readonly glyph: string | null;
  readonly solid?: true;
}

/** One look a state; the compiler finds a state without one. */
export const STATE_LOOKS: Readonly<Record<DeviceState, StateLook>> = {
  conflict: {
    label: 'Conflict',
    color: '--failed',
    shape: 'filled',
    glyph: 'M4.5 6.5h7M4.5 9.5h7M10 4l-4 8',
  },
  failed: { label: 'Failed', color: '--failed', shape: 'filled', glyph: 'M5 5l6 6M11 5l-6 6' },
  offline: { label: 'Offline', color: '--offline', shape: 'hollow', glyph: null },
  degraded: {
    label: 'Degraded',
    color: '--degraded',
    shape: 'filled',
    glyph: 'M8 4l4.5 8h-9z',
    solid: true,
  },
  updating: {
    label: 'Updating',
    color: '--updating',
    shape: 'filled',
    glyph: 'M11.6 8A3.6 3.6 0 1 1 10.3 5.2M10.6 3v2.6H8',
  },
  held: { label: 'Held', color: '--held', shape: 'filled', glyph: 'M6.2 4.8v6.4M9.8 4.8v6.4' },
  pending: { label: 'Pending', color: '--offline', shape: 'dashed', glyph: null },
  healthy: { label: 'Healthy', color: '--healthy', shape: 'filled', glyph: 'M4.5 8.3l2.4 2.4 4.6-5' },
};

/** 0 is the worst. The order is the protocol's. */
export function severityOf(state: DeviceState): number {
  return DEVICE_STATES.indexOf(state);
}
