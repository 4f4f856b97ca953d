import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { RolloutDevice, RolloutDeviceState, RolloutSummary } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { usePages } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { Chips } from '../../ui/chips.tsx';
import { MoreButton } from '../../ui/more-button.tsx';
import { Section } from '../../ui/page.tsx';
import { StateGlyph } from '../../ui/state-glyph.tsx';
import { Ago } from '../../ui/time.tsx';

const LOOKS: Readonly<Record<RolloutDeviceState, { readonly glyph: DeviceState; readonly label: string }>> = {
  failed: { glyph: 'failed', label: 'failed' },
  updating: { glyph: 'updating', label: 'updating' },
  pending: { glyph: 'pending', label: 'pending' },
  healthy: { glyph: 'healthy', label: 'healthy' },
  returned: { glyph: 'held', label: 'went back' },
};
const CHIPS = Object.entries(LOOKS).map(([value, { label }]) => ({
  value: value as RolloutDeviceState,
  label,
}));

/** The devices of a rollout, by how they stand in it; the choice is in the address. */
export function RolloutDevices({ rollout }: { rollout: RolloutSummary }) {
  const { state } = useSearch({ from: '/fleet/rollouts/$id' });
  const navigate = useNavigate({ from: '/rollouts/$id' });
  const devices = usePages('listRolloutDevices', {
    params: { id: rollout.id },
    query: { limit: 50, ...(state === undefined ? {} : { state }) },
  });
  return (
    <Section title="Devices">
      <Chips
        label="Show"
        options={CHIPS}
        chosen={state}
        onChoose={(next) =>
          void navigate({ search: next === undefined ? {} : { state: next }, replace: true })
        }
      />
      <Answer query={devices} height={200}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="text-13 text-ink-2">
              None{state === undefined ? ' yet' : ` ${LOOKS[state].label}`}.
            </p>
          ) : (
            <>
              <ul className="divide-y divide-line rounded border border-line">
                {items.map((device) => (
                  <Row key={device.device} device={device} stage={rollout.stages[device.stage]?.name ?? ''} />
                ))}
              </ul>
              <MoreButton query={devices} />
            </>
          )
        }
      </Answer>
    </Section>
  );
}

function Row({ device, stage }: { device: RolloutDevice; stage: string }) {
  const { glyph, label } = LOOKS[device.state];
  const waitsOffline = device.state === 'pending' && !device.online;
  return (
    <li className="relative grid gap-1 px-4 py-3 hover:bg-hover">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-13">
        <Link
          to="/devices/$id"
          params={{ id: device.device }}
          className="min-w-40 text-14 font-medium after:absolute after:inset-0"
        >
          {device.name}
        </Link>
        <span className="inline-flex min-w-32 items-center gap-2">
          <StateGlyph state={waitsOffline ? 'offline' : glyph} />
          {waitsOffline ? 'offline' : label}
        </span>
        <span className="text-ink-2">{stage}</span>
        {device.at !== null && (
          <span className="ml-auto text-ink-3">
            <Ago at={device.at} />
          </span>
        )}
      </div>
      {device.problem !== null && <p className="text-13 text-ink-2">{device.problem.what}</p>}
    </li>
  );
}
