import { describeProblem, problemOf } from '@metrica-fleet/protocol';
import type { Order } from '@metrica-fleet/protocol/api';
import type { Journal } from '../../decide/journal.ts';
import { isInSwap } from '../../decide/swap.ts';
import { judgeWanted } from '../../decide/wanted.ts';
import type { World } from '../../observe/world.ts';
import type { Context } from '../context.ts';
import { collectLogs } from './collect-logs.ts';
import { acknowledge, type Acknowledgement } from './take-orders.ts';

/** What an order is carried out in: the run as it stands before it decides anything. */
export interface Standing {
  readonly context: Context;
  /** With what orders have forgiven already. */
  readonly journal: Journal;
  readonly world: World;
}

/** Null: it is not over yet, and acknowledged by a later run. */
type Executor = (order: Order, standing: Standing) => Promise<Acknowledgement | null>;

/** One executor per kind of order: one without does not compile. */
const EXECUTORS: Readonly<Record<Order['kind'], Executor>> = {
  run: () => Promise.resolve({ ok: true, detail: 'this is the run' }),
  redeploy: (_, standing) => Promise.resolve({ ok: true, detail: redeployed(standing) }),
  'restart-service': restartService,
  'collect-logs': async (_, { context, journal }) => {
    const log = await collectLogs(context, journal.current);
    return { ok: true, detail: 'the last lines of the agent and of every service', log };
  },
  // Decided like everything else that happens to the stack: this says what will be.
  'safe-mode': (_, { journal }) =>
    Promise.resolve(
      isInSwap(journal.state)
        ? { ok: false, detail: `an update is ${journal.state.name}; order it again when that is over` }
        : { ok: true, detail: 'the stack is stopped; a redeploy ends it' },
    ),
  // At the very end of the run: see reboot().
  reboot: () => Promise.resolve(null),
};

/** Carries out orders that were taken. Whatever an executor throws is an acknowledgement too. */
export async function carryOut(orders: readonly Order[], standing: Standing): Promise<void> {
  for (const order of orders) {
    const end = await endOf(order, standing);
    if (end !== null) await acknowledge(standing.context, order, end);
  }
}

/** The last thing that a run does, if it was ordered. That it has worked, the first run after it will say. */
export async function reboot(context: Context, orders: readonly Order[]): Promise<void> {
  const order = orders.find(({ kind }) => kind === 'reboot');
  if (order === undefined) return;
  context.ports.log.notice('Reboots, by order');
  const { code, stderr } = await context.ports.exec.run({
    label: 'order.reboot',
    argv: ['systemctl', '--no-block', 'reboot'],
    deadline: 30_000,
  });
  if (code === 0) return;
  await acknowledge(context, order, {
    ok: false,
    detail: `systemctl refused: ${stderr.trim().slice(0, 500)}`,
  });
}

async function endOf(order: Order, standing: Standing): Promise<Acknowledgement | null> {
  try {
    return await EXECUTORS[order.kind](order, standing);
  } catch (thrown) {
    return { ok: false, detail: describeProblem(problemOf(thrown)) };
  }
}

/** The quarantine has been lifted already (decide/heed.ts); this says what comes of it. */
function redeployed({ context, journal, world }: Standing): string {
  const { desired } = world.seen;
  const release = desired === null ? '' : `${desired.role}@${desired.commit.slice(0, 12)}`;
  switch (judgeWanted(journal, desired, context.ports.clock.now())) {
    case 'nothing-known':
      return 'nothing is wanted of this device';
    case 'in-place':
      return `${release} is in place`;
    case 'quarantined':
    case 'waiting':
    case 'scheduled':
    case 'news':
      return `${release} is tried again`;
  }
}

async function restartService({ service }: Order, { context, journal }: Standing): Promise<Acknowledgement> {
  const { current } = journal;
  const services = Object.keys(current?.services ?? {});
  if (service === undefined || current === null || !services.includes(service)) {
    const here = services.length === 0 ? 'nothing runs here' : `here are ${services.join(', ')}`;
    return { ok: false, detail: `there is no service «${service ?? ''}»; ${here}` };
  }
  await context.ports.engine.restart('order.restart', current.release.role, [service]);
  return { ok: true, detail: `restarted ${service}` };
}
