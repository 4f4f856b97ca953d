import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { STATE_LOOKS } from './state-table.ts';

/** One part of a whole: how many, and in whose colour. */
export interface Share {
  readonly state: DeviceState;
  readonly label: string;
  readonly count: number;
}

/** Parts of a whole as one bar, with the same said in words under it. */
export function ShareBar({ shares, total }: { shares: readonly Share[]; total: number }) {
  const shown = shares.filter(({ count }) => count > 0);
  return (
    <div className="grid gap-2">
      <div aria-hidden="true" className="flex h-2 gap-px overflow-hidden rounded-full bg-hover">
        {total > 0 &&
          shown.map(({ state, label, count }) => (
            <span
              key={label}
              className="transition-[flex-grow] duration-150"
              style={{
                flexGrow: count,
                minWidth: 3,
                background: barFill(state),
              }}
            />
          ))}
      </div>
      <p className="flex flex-wrap gap-x-3 gap-y-1 text-13 text-ink-2">
        {shown.map(({ state, label, count }) => (
          <span key={label} className="inline-flex items-center gap-1.5 whitespace-nowrap">
            <span aria-hidden="true" className="size-2 rounded-full" style={{ background: barFill(state) }} />
            {count} {label}
          </span>
        ))}
        {total === 0 && 'no devices'}
      </p>
    </div>
  );
}

function barFill(state: DeviceState): string {
  const { color, shape } = STATE_LOOKS[state];
  return shape === 'filled' ? `var(${color})` : `color-mix(in srgb, var(${color}) 35%, transparent)`;
}
