import type { DeviceDetail } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { useChange } from '../../api/calls.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Button } from '../../ui/button.tsx';
import { StateGlyph } from '../../ui/state-glyph.tsx';

type Service = NonNullable<DeviceDetail['status']>['services'][number];

interface ServicesProps {
  readonly device: string;
  readonly services: readonly Service[];
  readonly mayOrder: boolean;
}

/** The containers of its role as Compose sees them; operators can have one restarted. */
export function Services({ device, services, mayOrder }: ServicesProps) {
  return (
    <ul className="divide-y divide-line rounded border border-line">
      {services.map((service) => (
        <li key={service.name} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2 text-13">
          <span className="flex min-w-24 items-center gap-2 font-medium sm:min-w-36">
            <StateGlyph state={glyphOf(service)} />
            {service.name}
          </span>
          <span className="text-ink-2">
            {service.state}
            {service.health !== null && `, ${service.health}`}
          </span>
          {service.restarts > 0 && (
            <span className="text-ink-2">
              {service.restarts} {service.restarts === 1 ? 'restart' : 'restarts'}
            </span>
          )}
          {mayOrder && <Restart device={device} service={service.name} />}
        </li>
      ))}
    </ul>
  );
}

function Restart({ device, service }: { device: string; service: string }) {
  const order = useChange('createOrder');
  const body = { kind: 'restart-service', service } as const;
  return (
    <>
      <Button
        look="quiet"
        className="ml-auto"
        aria-label={`Restart ${service}`}
        busy={order.isPending}
        onClick={() => order.mutate({ params: { id: device }, body })}
      >
        Restart
      </Button>
      <ProblemNotice error={order.error} />
    </>
  );
}

/** A one-shot that has exited is as good as one that runs; how it exited is in the problems. */
function glyphOf({ state, health }: Service): DeviceState {
  if (health === 'unhealthy' || state === 'dead' || state === 'restarting') return 'failed';
  if (health === 'starting' || state === 'created') return 'updating';
  if (state === 'running') return 'healthy';
  return 'pending';
}
