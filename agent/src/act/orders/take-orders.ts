import { problemOf } from '@metrica-fleet/protocol';
import type { Order } from '@metrica-fleet/protocol/api';
import { markOrder, readLedger, type LedgerEntry } from '../../checkin/ledger.ts';
import { addReport, reportId } from '../../report/outbox.ts';
import type { Context } from '../context.ts';

type Places = Pick<Context, 'ports' | 'paths'>;

/** How an order ended. */
export interface Acknowledgement {
  readonly ok: boolean;
  /** One sentence. */
  readonly detail: string;
  readonly log?: string;
}

/**
 * The orders to carry out in this run: each is on the card as begun before this returns, so that none is begun twice,
 * whatever happens to the run. What is over, or was begun by a run that did not reach its end, is acknowledged as such.
 */
export async function takeOrders(context: Places): Promise<readonly Order[]> {
  const { disk, clock, log } = context.ports;
  const now = clock.now();
  const taken: Order[] = [];
  for (const entry of await readLedger(disk, context.paths.orders)) {
    const { order, state } = entry;
    if (state === 'done') continue;
    try {
      const end = endOf(entry, now);
      if (end !== null) await acknowledge(context, order, end);
      else {
        await markOrder(disk, context.paths.orders, { id: order.id, state: 'started', boot: now.boot });
        taken.push(order);
      }
    } catch (thrown) {
      // A card that takes no more: what cannot be remembered as begun is not begun.
      log.warning('An order could not be taken', { order: order.kind, problem: problemOf(thrown) });
    }
  }
  return taken;
}

/** Reports how an order ended, and is done with it. */
export async function acknowledge(
  { ports, paths }: Places,
  order: Order,
  end: Acknowledgement,
): Promise<void> {
  const { ok, detail, log } = end;
  const { wall, boot } = ports.clock.now();
  ports.log[ok ? 'notice' : 'warning'](`order ${order.kind}`, { ok, detail });
  await addReport(ports.disk, paths.outbox, {
    id: reportId('order', order.id),
    at: wall,
    kind: 'order',
    order: order.id,
    ok,
    detail: `${order.kind}: ${detail}`.slice(0, 4_096),
    ...(log === undefined ? {} : { log }),
  });
  await markOrder(ports.disk, paths.orders, { id: order.id, state: 'done', boot });
}

/** Why an order is not to be carried out now; null when it is. */
function endOf(
  { order, state, boot }: LedgerEntry,
  now: { readonly wall: string; readonly boot: string },
): Acknowledgement | null {
  if (state === 'started') {
    if (order.kind !== 'reboot') return { ok: false, detail: 'the run was interrupted while it was at it' };
    return boot === now.boot
      ? { ok: false, detail: 'the device was told to, and is still up' }
      : { ok: true, detail: 'the device has rebooted' };
  }
  return Date.parse(order.expires) > Date.parse(now.wall)
    ? null
    : { ok: false, detail: `it came too late, it was good until ${order.expires}` };
}
