import type { Overview } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { StateGlyph } from '../../ui/state-glyph.tsx';

const GLYPHS: Readonly<Record<Overview['verdict']['tone'], DeviceState>> = {
  empty: 'pending',
  good: 'healthy',
  busy: 'updating',
  warning: 'degraded',
  bad: 'failed',
};

/** How the fleet is, in one sentence: what somebody wants to know at 3am. Read out when it changes. */
export function Verdict({ tone, text }: Overview['verdict']) {
  return (
    <p role="status" className="flex items-start gap-3 text-20 font-semibold text-balance">
      <span className="pt-1">
        <StateGlyph state={GLYPHS[tone]} size={20} />
      </span>
      {text}
    </p>
  );
}
