import type { OrderState } from '@metrica-fleet/protocol/api';
import type { DeviceState } from '@metrica-fleet/protocol/device-state';
import { useAnswer, useChange } from '../../api/calls.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import { StateGlyph } from '../../ui/state-glyph.tsx';
import { Ago } from '../../ui/time.tsx';

const LOOKS: Readonly<Record<OrderState['state'], { readonly glyph: DeviceState; readonly word: string }>> = {
  queued: { glyph: 'pending', word: 'waits for its next check-in' },
  delivered: { glyph: 'updating', word: 'delivered' },
  done: { glyph: 'healthy', word: 'done' },
  failed: { glyph: 'failed', word: 'failed' },
  expired: { glyph: 'offline', word: 'expired' },
};
const SHOWN = 5;

/** The last orders to the device and what became of them. Not there when it never got any and takes none. */
export function Orders({ id, mayOrder }: { id: string; mayOrder: boolean }) {
  const orders = useAnswer('listOrders', { params: { id }, query: { limit: SHOWN } });
  const items = orders.data?.items ?? [];
  if (items.length === 0 && !mayOrder) return null;
  return (
    <Section title="Orders">
      {mayOrder && <NewOrder id={id} />}
      {items.length > 0 && (
        <ul className="divide-y divide-line rounded border border-line">
          {items.map(({ id: order, kind, service, state, createdBy, createdAt, detail }) => (
            <li key={order} className="flex items-start gap-3 px-4 py-2 text-13">
              <span className="pt-0.5">
                <StateGlyph state={LOOKS[state].glyph} />
              </span>
              <span className="min-w-0 flex-1">
                <span className="font-medium">
                  {kind}
                  {service !== null && ` ${service}`}
                </span>{' '}
                <span className="text-ink-2">
                  {LOOKS[state].word}, by {createdBy}
                  {detail !== null && `: ${detail}`}
                </span>
              </span>
              <span className="text-ink-3">
                <Ago at={createdAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** Orders that cost the device little, and so do not ask first. */
function NewOrder({ id }: { id: string }) {
  const redeploy = useChange('createOrder');
  const collect = useChange('createOrder');
  const params = { id };
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap gap-2">
        <Button
          busy={redeploy.isPending}
          onClick={() => redeploy.mutate({ params, body: { kind: 'redeploy' } })}
        >
          Redeploy
        </Button>
        <Button
          busy={collect.isPending}
          onClick={() => collect.mutate({ params, body: { kind: 'collect-logs' } })}
        >
          Collect logs
        </Button>
      </div>
      <ProblemNotice error={redeploy.error ?? collect.error} />
    </div>
  );
}
