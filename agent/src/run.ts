import { FleetError, type Problem } from '@metrica-fleet/protocol';
import type { Order } from '@metrica-fleet/protocol/api';
import type { Context } from './act/context.ts';
import { perform } from './act/executors.ts';
import { carryOut, reboot } from './act/orders/carry-out.ts';
import { takeOrders } from './act/orders/take-orders.ts';
import { remember } from './act/remember.ts';
import { leaveSafeMode } from './act/safe-mode.ts';
import { arrangeSignals } from './checkin/signals.ts';
import { holdTime } from './checkin/time-floor.ts';
import { decide } from './decide/decide.ts';
import { heed } from './decide/heed.ts';
import type { Journal } from './decide/journal.ts';
import type { Event } from './decide/vocabulary.ts';
import { observeJournal } from './observe/journal.ts';
import { observeWorld, type World } from './observe/world.ts';
import { reportBoot } from './report/booted.ts';
import { report, reportProgress, type RunOutcome, type RunReport } from './report/report.ts';
import { keepRound } from './report/silences.ts';
import { tell } from './report/tell.ts';

/** More steps than this in one run is a bug of ours; the run ends and the next one goes on from the journal. */
const MAX_STEPS = 40;

export interface RunOptions {
  /** A person asks: what is waiting for its backoff is tried now. Quarantine holds all the same. */
  readonly insist: boolean;
  /** Somebody waits for this run, a signal or a person: no source may spare itself the way. */
  readonly eager: boolean;
  /** A person asks for what is wanted although it failed here, or its window is closed. Default: false. */
  readonly redeploy?: boolean;
  /** A person asks for safe mode. Default: false. */
  readonly stop?: boolean;
}

/**
 * One convergence: observe, decide, act, report. The caller holds the lock. Every step is remembered before it is
 * acted upon, so that a run may end anywhere, by power cut too, and the next one continues from what is written.
 */
export async function run(context: Context, options: RunOptions): Promise<RunReport> {
  const { ports, paths } = context;
  const { insist, eager, stop = false } = options;
  // Before anything is looked at: a wake that comes during this run must start another one.
  await ports.disk.remove('wake.clear', paths.run.wake);
  const redeploy = (await takeButton(context)) || options.redeploy === true;

  const { journal: found, origin } = await observeJournal(ports.disk, paths);
  if (origin === 'former' || origin === 'rebuilt')
    ports.log.warning('The journal was not readable', { origin });
  await reportBoot(context);
  await holdTime(context);
  const world = await observeWorld(context, found, { eager });
  await keepRound(context, world);
  const orders = await takeOrders(context);
  const ordered = (kind: Order['kind']): boolean => orders.some((order) => order.kind === kind);
  const insistence = { insist: insist || ordered('run'), redeploy: redeploy || ordered('redeploy') };
  const memory = heed(found, insistence, world.seen.desired);
  await carryOut(orders, { context, journal: memory, world });
  const ordersStop = stop || ordered('safe-mode');
  const { changed, ...outcome } = await converge(
    context,
    memory,
    ordersStop ? { ...world, seen: { ...world.seen, stop: true } } : world,
  );
  if (outcome.journal.safe === undefined) await leaveSafeMode(context);

  const reported = await report(context, { ...outcome, world, changed: changed || orders.length > 0 });
  await tell(context, { status: reported.status, world, journal: outcome.journal });
  await arrangeSignals(context, outcome.journal);
  await reboot(context, orders);
  return reported;
}

/** The button of safe mode's page: one press is one redeploy. */
async function takeButton({ ports: { disk }, paths }: Context): Promise<boolean> {
  const pressed = (await disk.stat(paths.run.redeploy)) !== null;
  if (pressed) await disk.remove('redeploy.clear', paths.run.redeploy);
  return pressed;
}

/**
 * Decide and act, until nothing is left to do now. What cannot be remembered (a full card, one that has gone read-only)
 * is not acted upon: the run ends there, and its report says why.
 */
async function converge(context: Context, memory: Journal, world: World): Promise<Omit<RunOutcome, 'world'>> {
  let journal = memory;
  let event: Event | null = { type: 'observed', seen: world.seen };
  let changed = false;
  let lastReport: string | null = null;
  let problem: Problem | null = null;
  for (let steps = 0; event !== null && steps < MAX_STEPS; steps += 1) {
    const step = decide(journal, event, context.ports.clock.now());
    try {
      lastReport = (await remember(context, journal, step)) ?? lastReport;
    } catch (thrown) {
      if (!(thrown instanceof FleetError)) throw thrown;
      ({ problem } = thrown);
      context.ports.log.error('What was decided cannot be written down; the run ends', { problem });
      break;
    }
    journal = step.journal;
    if (step.effect === null) break;
    changed = true;
    await reportProgress(context, journal, world);
    event = await perform(step.effect, context);
  }
  return { journal, changed, lastReport, problem };
}
