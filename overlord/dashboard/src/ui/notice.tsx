import type { ReactNode } from 'react';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { STATE_LOOKS } from './state-table.ts';
import { StateGlyph } from './state-glyph.tsx';

/** A box that says one thing: what, and under it what to do. Read out when it appears. */
export function Notice({
  state,
  title,
  children,
}: {
  state: DeviceState;
  title: ReactNode;
  children?: ReactNode;
}) {
  return (
    <div
      role="alert"
      className="flex gap-3 rounded border px-4 py-3 text-14"
      style={{
        borderColor: `color-mix(in srgb, var(${STATE_LOOKS[state].color}) 45%, transparent)`,
        background: `color-mix(in srgb, var(${STATE_LOOKS[state].color}) 7%, transparent)`,
      }}
    >
      <span className="pt-0.5">
        <StateGlyph state={state} />
      </span>
      <div className="grid min-w-0 gap-1">
        <p className="font-medium">{title}</p>
        {children !== undefined && <div className="text-13 text-ink-2">{children}</div>}
      </div>
    </div>
  );
}
