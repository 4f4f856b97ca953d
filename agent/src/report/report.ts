import { problemOf, type Problem, type Status } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import { remaining } from '../decide/backoff.ts';
import type { Journal } from '../decide/journal.ts';
import { judgeWanted, untilSwap } from '../decide/wanted.ts';
import { observeSafeMode } from '../observe/safe-mode.ts';
import { lookAtStack, type StackLook, type World } from '../observe/world.ts';
import type { Moment } from '../ports/clock.ts';
import { AGENT_VERSION } from '../version.ts';
import { attachLog } from './outbox.ts';
import { readStatus } from './read-status.ts';
import { statusOf } from './status.ts';

/** Seconds between runs where no role says otherwise, and while there is no role yet. */
const DEFAULT_INTERVAL = 300;
const INTERVAL_WITHOUT_ROLE = 60;
/** Seconds until what is wrong is looked at again. */
const SOON = 60;

export interface RunReport {
  readonly status: Status;
  /** Whether the run did anything beyond looking. */
  readonly changed: boolean;
}

export interface RunOutcome {
  readonly journal: Journal;
  readonly world: World;
  readonly changed: boolean;
  /** The last report that the run put into the outbox; its log goes with it. */
  readonly lastReport: string | null;
  /** Why the run ended before its time; null where it did not. */
  readonly problem: Problem | null;
}

/**
 * Leaves the facts of the run in `/run/role-agent` (tmpfs): the status for people, and three small files for the gate,
 * which decides each minute in shell whether Node needs to start at all. A run that changed nothing costs the card nothing.
 */
export async function report(context: Context, outcome: RunOutcome): Promise<RunReport> {
  const { ports, paths } = context;
  const { journal, world, changed, lastReport, problem } = outcome;
  const look = changed ? await lookAtStack(context, journal) : world.look;
  const now = ports.clock.now();
  const status = await writeStatus(context, { journal, world, look, problem });
  if (lastReport !== null) await attachTranscript(context, lastReport);
  await ports.disk.write('report.expected', paths.run.expected, { content: runningIds(look) });
  await ports.disk.write('report.due', paths.run.nextDue, {
    content: `${Math.ceil(now.uptime + waitOf({ journal, world, look, problem }, now))}\n`,
  });
  // In safe mode a run comes with its interval, its retry or a wake, not each minute.
  if (journal.state.name === 'idle' || journal.state.name === 'safe')
    await ports.disk.remove('report.finished', paths.run.unfinished);
  else
    await ports.disk.write('report.unfinished', paths.run.unfinished, { content: `${journal.state.name}\n` });
  return { status, changed };
}

/** The status alone, while the run goes on: an update can take minutes, and people watch it. */
export async function reportProgress(context: Context, journal: Journal, world: World): Promise<void> {
  await writeStatus(context, { journal, world, look: world.look, problem: null });
}

interface Facts {
  readonly journal: Journal;
  readonly world: World;
  readonly look: StackLook;
  readonly problem: Problem | null;
}

/** A report without its log is still a report: what fails here costs the run nothing. */
async function attachTranscript({ ports, paths }: Context, id: string): Promise<void> {
  try {
    await attachLog(ports.disk, paths.outbox, { id, log: ports.log.transcript() });
  } catch (thrown) {
    ports.log.warning('The log could not be put beside its report', { problem: problemOf(thrown) });
  }
}

async function writeStatus({ ports, paths, config }: Context, facts: Facts): Promise<Status> {
  const former = await readStatus(ports.disk, paths);
  const status = statusOf({
    ...facts,
    safeMode: await observeSafeMode(ports, paths),
    device: config.device,
    agentVersion: AGENT_VERSION,
    now: ports.clock.now(),
    lastConvergence: former?.lastConvergence ?? null,
    interval: intervalOf(facts.journal),
  });
  // Whole or not at all: somebody may be reading it.
  await ports.disk.replace('report.status', paths.run.status, `${JSON.stringify(status)}\n`);
  return status;
}

/** Seconds between two runs when nothing is the matter. */
export function intervalOf({ current, delayed }: Journal): number {
  return current?.interval ?? (delayed === null ? INTERVAL_WITHOUT_ROLE : DEFAULT_INTERVAL);
}

/**
 * Seconds until the next run is due by itself. News that is waiting for nothing (what came while an update was settling)
 * is due at once. Trouble that nobody has tried to mend yet, and an engine that does not answer, are looked at again soon;
 * the rest has its backoff, or the role's interval.
 */
function waitOf({ journal, world, look }: Facts, now: Moment): number {
  const { desired } = world.seen;
  const interval = intervalOf(journal);
  if (look.problem !== null && journal.state.name !== 'safe') return Math.min(interval, SOON);
  const verdict = judgeWanted(journal, desired, now);
  if (verdict === 'news') return 0;
  const waits = [interval];
  if (world.askAgain !== null) waits.push(Math.max(0, world.askAgain - now.uptime));
  const { safe, scheduled } = journal;
  if (journal.state.name === 'safe') {
    if (safe !== undefined && !safe.held) waits.push(Math.max(SOON, remaining(safe.retry, now)));
    return Math.min(...waits);
  }
  if (verdict === 'scheduled' && scheduled !== undefined) waits.push(untilSwap(journal, scheduled, now));
  if (verdict === 'waiting' && journal.delayed !== null) waits.push(remaining(journal.delayed, now));
  if ((look.stack?.faults ?? []).length > 0)
    waits.push(journal.repairs === null ? SOON : remaining(journal.repairs, now));
  return Math.min(...waits);
}

function runningIds({ stack }: StackLook): string {
  const ids = (stack?.containers ?? []).filter(({ state }) => state === 'running').map(({ id }) => id);
  return ids
    .sort()
    .map((id) => `${id}\n`)
    .join('');
}
