import type { DeviceSummary } from '@metrica-fleet/protocol/api';
import { Link } from '@tanstack/react-router';
import { useAnswer, useChange } from '../../api/calls.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';

/** Devices that have shown themselves and wait to be let in. Not there when nobody waits. */
export function WaitingRoom() {
  const waiting = useAnswer('listDevices', { query: { membership: 'waiting', limit: 50 } });
  const items = waiting.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section title={items.length === 1 ? 'One device waits for you' : `${items.length} devices wait for you`}>
      <ul className="divide-y divide-line rounded border border-line">
        {items.map((device) => (
          <Waiting key={device.id} device={device} />
        ))}
      </ul>
    </Section>
  );
}

function Waiting({ device }: { device: DeviceSummary }) {
  const approve = useChange('approveDevice');
  const reject = useChange('revokeDevice');
  const input = { params: { id: device.id } };
  return (
    <li className="grid gap-3 p-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="grid min-w-0">
          <Link to="/devices/$id" params={input.params} className="font-medium underline">
            {device.name}
          </Link>
          <span className="text-13 text-ink-2">
            {device.role ?? 'no role yet'}, {device.segment}
            {device.site !== null && `, ${device.site}`}
          </span>
        </div>
        <div className="flex gap-2">
          <Button look="primary" busy={approve.isPending} onClick={() => approve.mutate(input)}>
            Approve
          </Button>
          <Button
            look="warn"
            busy={reject.isPending}
            onClick={() => reject.mutate({ ...input, body: { reason: 'Rejected in the waiting room' } })}
          >
            Reject
          </Button>
        </div>
      </div>
      <ProblemNotice error={approve.error ?? reject.error} />
    </li>
  );
}
