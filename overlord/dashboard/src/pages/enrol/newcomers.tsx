import { Link } from '@tanstack/react-router';
import type { DeviceSummary, EnrolmentToken } from '@metrica-fleet/protocol/api';
import { useAnswer } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { StepList } from '../../ui/step-list.tsx';
import { joiningSteps } from './joining-steps.ts';

/** Who has come with a token, each with how far it is; new ones appear by themselves. */
export function Newcomers({ token }: { token: EnrolmentToken }) {
  const devices = useAnswer('listDevices', { query: { enrolmentToken: token.id, limit: 50 } });
  return (
    <Answer query={devices} height={64}>
      {({ items }) => (
        <div className="grid gap-3" aria-live="polite">
          <h3 className="text-13 font-medium">{headingOf(items, token)}</h3>
          {items.length === 0 && <StepList steps={joiningSteps(null)} />}
          <ul className="grid gap-4">
            {items.map((device) => (
              <li key={device.id} className="grid gap-2">
                <Link to="/devices/$id" params={{ id: device.id }} className="font-medium underline">
                  {device.name}
                </Link>
                <StepList steps={joiningSteps(device)} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </Answer>
  );
}

function headingOf(items: readonly DeviceSummary[], { uses }: EnrolmentToken): string {
  if (items.length === 0) return 'Nobody has come yet. What will happen:';
  return uses === 1 ? 'It has come' : `${items.length} of ${uses} have come`;
}
