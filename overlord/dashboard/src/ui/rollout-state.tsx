import type { RolloutState } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { StateGlyph } from './state-glyph.tsx';

/** A rollout is drawn as the device states that it leads to. */
const LOOKS: Readonly<Record<RolloutState, { readonly glyph: DeviceState; readonly label: string }>> = {
  running: { glyph: 'updating', label: 'Running' },
  paused: { glyph: 'held', label: 'Paused' },
  done: { glyph: 'healthy', label: 'Done' },
  halted: { glyph: 'failed', label: 'Halted' },
  superseded: { glyph: 'pending', label: 'Superseded' },
};

/** Sign and word of a rollout's state. */
export function RolloutStateLabel({ state }: { state: RolloutState }) {
  const { glyph, label } = LOOKS[state];
  return (
    <span className="flex items-center gap-2 whitespace-nowrap">
      <StateGlyph state={glyph} />
      {label}
    </span>
  );
}
