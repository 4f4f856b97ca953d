import { CirclePause, CirclePlay, FastForward, OctagonX } from 'lucide-react';
import type { RolloutSummary } from '@metrica-fleet/protocol/api';
import { useChange } from '../../api/calls.ts';
import { useMay } from '../../session/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';

/** Above this many devices a deed wants the role's name typed. */
const MANY = 50;

/** What an operator can do with a rollout that is still open. Viewers see nothing here. */
export function RolloutActions({ rollout }: { rollout: RolloutSummary }) {
  const mayOperate = useMay('operator');
  if (!mayOperate || (rollout.state !== 'running' && rollout.state !== 'paused')) return null;
  const total = rollout.stages.reduce((sum, { counts }) => sum + counts.total, 0);
  const typed = total > MANY ? { typed: rollout.role } : {};
  const isRunning = rollout.state === 'running';
  return (
    <>
      {isRunning ? (
        <Deed
          rollout={rollout}
          route="pauseRollout"
          label="Pause"
          icon={<CirclePause size={16} aria-hidden="true" />}
        >
          No further stage opens until somebody resumes it. Devices of the stages that are open still take it.
        </Deed>
      ) : (
        <Deed
          rollout={rollout}
          route="resumeRollout"
          label="Resume"
          icon={<CirclePlay size={16} aria-hidden="true" />}
        >
          It goes on where it stands; the gates are measured anew.
        </Deed>
      )}
      <Deed
        rollout={rollout}
        route="promoteRollout"
        label="Promote"
        icon={<FastForward size={16} aria-hidden="true" />}
        {...typed}
      >
        The next stage opens now, without waiting for the gate and the soak of the one that is open.
      </Deed>
      <Deed
        rollout={rollout}
        route="haltRollout"
        label="Halt"
        look="danger"
        icon={<OctagonX size={16} aria-hidden="true" />}
        {...typed}
      >
        It ends here, and the devices that took it go back to{' '}
        {rollout.from === null
          ? 'nothing, since it is the first release of the role'
          : rollout.from.slice(0, 7)}
        .
      </Deed>
    </>
  );
}

type DeedRoute = 'pauseRollout' | 'resumeRollout' | 'promoteRollout' | 'haltRollout';

function Deed({
  rollout,
  route,
  ...dialog
}: { rollout: RolloutSummary; route: DeedRoute } & Pick<
  React.ComponentProps<typeof ConfirmDialog>,
  'label' | 'icon' | 'look' | 'typed' | 'children'
>) {
  const change = useChange(route);
  return (
    <ConfirmDialog
      {...dialog}
      title={`${dialog.label} ${rollout.role} ${rollout.commit.slice(0, 7)}?`}
      asksReason
      busy={change.isPending}
      error={change.error}
      onConfirm={(reason, done) => {
        const body = reason === '' ? {} : { reason };
        change.mutate({ params: { id: rollout.id }, body }, { onSuccess: done });
      }}
    />
  );
}
