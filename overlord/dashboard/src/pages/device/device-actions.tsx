import { Play } from 'lucide-react';
import type { DeviceDetail } from '@metrica-fleet/protocol/api';
import { useChange } from '../../api/calls.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';

/** What an operator can do at once: run, restart, hold, let in, revoke. */
export function DeviceActions({ device }: { device: DeviceDetail }) {
  if (device.membership === 'waiting') return <LetIn device={device} />;
  if (device.membership === 'revoked') return null;
  return <ActiveActions device={device} />;
}

function LetIn({ device: { id } }: { device: DeviceDetail }) {
  const approve = useChange('approveDevice');
  return (
    <>
      <Button look="primary" busy={approve.isPending} onClick={() => approve.mutate({ params: { id } })}>
        Approve
      </Button>
      <ProblemNotice error={approve.error} />
    </>
  );
}

function ActiveActions({ device }: { device: DeviceDetail }) {
  const { id, name, updatesOff } = device;
  const params = { id };
  const order = useChange('createOrder');
  const update = useChange('updateDevice');
  const revoke = useChange('revokeDevice');
  return (
    <>
      <Button
        icon={<Play size={16} aria-hidden="true" />}
        busy={order.isPending}
        onClick={() => order.mutate({ params, body: { kind: 'run' } })}
      >
        Run now
      </Button>
      <Button
        busy={update.isPending}
        onClick={() => update.mutate({ params, body: { updatesOff: !updatesOff } })}
      >
        {updatesOff ? 'Take updates again' : 'Hold updates'}
      </Button>
      <ConfirmDialog
        label="Reboot"
        title={`Reboot ${name}?`}
        busy={order.isPending}
        error={order.error}
        onConfirm={(_reason, done) => order.mutate({ params, body: { kind: 'reboot' } }, { onSuccess: done })}
      >
        Its services stop for as long as the board takes to start. The order is delivered with its next
        check-in, and is void after an hour.
      </ConfirmDialog>
      <ConfirmDialog
        label="Revoke"
        look="warn"
        title={`Revoke ${name}?`}
        typed={name}
        asksReason
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={(reason, done) =>
          revoke.mutate({ params, body: reason === '' ? {} : { reason } }, { onSuccess: done })
        }
      >
        It is given nothing any more, and keeps running what it has. To come back it has to join anew.
      </ConfirmDialog>
      <ProblemNotice error={order.error ?? update.error} />
    </>
  );
}
