import { useParams } from '@tanstack/react-router';
import type { DeviceDetail } from '@metrica-fleet/protocol/api';
import { useAnswer } from '../../api/calls.ts';
import { useMay } from '../../session/session.ts';
import { Answer } from '../../ui/answer.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { StateLabel } from '../../ui/state-glyph.tsx';
import { Ago } from '../../ui/time.tsx';
import { DeviceActions } from './device-actions.tsx';
import { Facts } from './facts.tsx';
import { Orders } from './orders.tsx';
import { Releases } from './releases.tsx';
import { SafeMode } from './safe-mode.tsx';
import { Services } from './services.tsx';
import { Settings } from './settings.tsx';
import { Timeline } from './timeline.tsx';
import { Why } from './why.tsx';

/** One device: how it is and why, what it runs and should run, what happened, and what can be done. */
export default function DevicePage() {
  const { id } = useParams({ from: '/fleet/devices/$id' });
  const device = useAnswer('showDevice', { params: { id } });
  return (
    <Answer query={device} height={480}>
      {(answer) => <Shown key={id} device={answer} />}
    </Answer>
  );
}

function Shown({ device }: { device: DeviceDetail }) {
  const mayOperate = useMay('operator');
  const mayOrder = mayOperate && device.membership === 'active';
  const problems = device.status?.problems ?? [];
  const safeMode = device.status?.safeMode;
  return (
    <Page
      title={device.name}
      lead={<Lead device={device} />}
      actions={mayOperate && <DeviceActions device={device} />}
    >
      {device.membership === 'waiting' && (
        <Notice state="held" title="It waits to be let into the fleet.">
          Until somebody approves it, it is given nothing.
        </Notice>
      )}
      {device.membership === 'revoked' && (
        <Notice state="failed" title="It was revoked.">
          It keeps running what it has, and is given nothing new.
        </Notice>
      )}
      {safeMode !== undefined && (
        <SafeMode safeMode={safeMode} isSaid={problems.some(({ what }) => what === safeMode.reason)} />
      )}
      {problems.map(({ code, what, where, remedy }) => (
        <Notice
          key={`${code} ${what}`}
          state={device.state === 'failed' ? 'failed' : 'degraded'}
          title={where === undefined ? what : `${what} (${where})`}
        >
          {remedy}
        </Notice>
      ))}
      <div className="grid items-start gap-6 lg:grid-cols-[3fr_2fr]">
        <div className="grid min-w-0 gap-6">
          <Section title="Release">
            <Releases device={device} />
          </Section>
          {device.status !== null && device.status.services.length > 0 && (
            <Section title="Services">
              <Services device={device.id} services={device.status.services} mayOrder={mayOrder} />
            </Section>
          )}
          <Timeline id={device.id} />
        </div>
        <div className="grid min-w-0 gap-6">
          <Section title="Why it gets what it gets">
            <Why id={device.id} />
          </Section>
          <Orders id={device.id} mayOrder={mayOrder} />
          <Section title="Facts">
            <Facts device={device} />
          </Section>
          {mayOrder && <Settings device={device} />}
        </div>
      </div>
    </Page>
  );
}

function Lead({
  device: { state, membership, online, connected, lastSeenAt, role, segment, site },
}: {
  device: DeviceDetail;
}) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
      {membership === 'active' && (
        <span className="font-medium text-ink">
          <StateLabel state={state} />
        </span>
      )}
      <span>
        {role ?? 'no role'} · {segment}
        {site !== null && ` · ${site}`}
      </span>
      <span>
        {connected ? 'listens for signals' : online ? 'asks by its interval' : 'not reachable'}
        {lastSeenAt !== null && (
          <>
            , last report <Ago at={lastSeenAt} />
          </>
        )}
      </span>
    </div>
  );
}
