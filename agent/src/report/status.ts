import type { Health, Problem, Status } from '@metrica-fleet/protocol';
import type { Deployment, Journal, Quarantined } from '../decide/journal.ts';
import { underWay } from '../decide/outcomes.ts';
import { remaining } from '../decide/backoff.ts';
import { judgeWanted, untilSwap, wantedKey } from '../decide/wanted.ts';
import { timeIn } from '../decide/window.ts';
import type { StackLook, World } from '../observe/world.ts';
import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';

/** What the status is made from. */
export interface StatusFacts {
  readonly device: string;
  readonly agentVersion: string;
  readonly journal: Journal;
  readonly world: World;
  /** The stack after everything was done. */
  readonly look: StackLook;
  readonly now: Moment;
  /** The former status's last convergence, kept while there is no newer one. */
  readonly lastConvergence: string | null;
  /** Seconds between two runs. */
  readonly interval: number;
  readonly safeMode: NonNullable<Status['safeMode']> | null;
  /** Why the run ended before its time; null where it did not. */
  readonly problem: Problem | null;
}

/** The status of the device in the words of the protocol. Pure. */
export function statusOf(facts: StatusFacts): Status {
  const { device, agentVersion, journal, world, look, now } = facts;
  const { desired } = world.seen;
  const problems = problemsOf(facts);
  const health = healthOf(facts);
  const converged = health === 'healthy' && pendingOf(facts) === null;
  return {
    schemaVersion: 1,
    device,
    agentVersion,
    at: now.wall,
    state: journal.state.name,
    health,
    running: journal.state.name === 'safe' ? null : namesOf(journal.current),
    wanted: desired === null ? null : { role: desired.role, commit: desired.commit, digest: desired.digest },
    pending: pendingOf(facts),
    refused: quarantinedAs(facts)?.problem ?? null,
    interval: facts.interval,
    lastUpdate: journal.updatedAt,
    lastConvergence: converged ? now.wall : facts.lastConvergence,
    problems,
    services: (look.stack?.containers ?? []).map(({ service, state, health: check, restarts }) => ({
      name: service,
      state,
      health: check,
      restarts,
    })),
    sources: world.contacts.map(({ source, answered }) => ({ name: source, answered })),
    ...(facts.safeMode === null ? {} : { safeMode: facts.safeMode }),
  };
}

function healthOf({ journal, look, world, now }: StatusFacts): Health {
  if (journal.state.name === 'safe') return 'failed';
  if (journal.state.name !== 'idle') return 'updating';
  const verdict = judgeWanted(journal, world.seen.desired, now);
  if (journal.current === null) return verdict === 'nothing-known' ? 'empty' : 'failed';
  if (look.stack === null || look.stack.faults.length > 0) return 'degraded';
  return 'healthy';
}

/** Why what is wanted is not what runs, in words; null when it is, or when nothing is wanted. */
function pendingOf({ journal, world, now }: StatusFacts): string | null {
  const { desired } = world.seen;
  if (journal.state.name === 'safe') return pendingInSafeMode(journal, now);
  const update = underWay(journal);
  if (update !== null) return `${journal.state.name} ${update.role}@${update.commit.slice(0, 12)}`;
  switch (judgeWanted(journal, desired, now)) {
    case 'nothing-known':
      return world.seen.withdrawn === true ? null : 'no source has ever answered';
    case 'in-place':
      return null;
    case 'quarantined':
      return `${nameOf(desired)} failed here and is quarantined until a newer commit comes`;
    case 'waiting':
      return `${nameOf(desired)} is tried again after a pause (try ${journal.delayed?.attempts ?? 0})`;
    case 'scheduled':
      return `${nameOf(desired)} is staged; its window opens ${timeIn(untilScheduled(journal, now), now)}`;
    case 'news':
      return `${nameOf(desired)} is next`;
  }
}

function pendingInSafeMode({ safe, current }: Journal, now: Moment): string {
  if (safe === undefined) return 'safe mode';
  const since = `safe mode since ${safe.since}`;
  if (safe.held) return `${since}, by order; a redeploy ends it`;
  if (current === null) return `${since}; a newer commit or a redeploy ends it`;
  return `${since}; ${current.release.role}@${current.release.commit.slice(0, 12)} is tried again ${timeIn(remaining(safe.retry, now), now)}`;
}

function untilScheduled(journal: Journal, now: Moment): number {
  return journal.scheduled === undefined ? 0 : untilSwap(journal, journal.scheduled, now);
}

/** Why what is wanted is not tried here any more; undefined unless it is in quarantine. */
function quarantinedAs({ journal, world }: StatusFacts): Quarantined | undefined {
  const { desired } = world.seen;
  const key = desired === null ? null : wantedKey(desired);
  return journal.quarantine.find((entry) => entry.key === key);
}

function problemsOf(facts: StatusFacts): Problem[] {
  const { journal, world, look } = facts;
  const { state } = journal;
  const problems = [
    facts.problem ?? undefined,
    state.name === 'safe' ? journal.safe?.problem : undefined,
    quarantinedAs(facts)?.problem,
    state.name === 'reverting' ? state.problem : undefined,
    state.name === 'probation' || state.name === 'activating' ? (state.revertedFor ?? undefined) : undefined,
    journal.delayed?.problem,
    look.problem ?? undefined,
    journal.repairs?.problem,
    fullDisk(journal),
    ...world.contacts.map(({ problem }) => problem ?? undefined),
  ].filter((problem): problem is Problem => problem !== undefined);
  // One trouble may be known in several places.
  return [...new Map(problems.map((problem) => [`${problem.code} ${problem.what}`, problem])).values()];
}

/** What else could not be removed is tried again, and nobody's business. */
function fullDisk({ litter }: Journal): Problem | undefined {
  const problem = litter === 'due' ? undefined : litter?.problem;
  return problem?.code === 'no-space' ? problem : undefined;
}

function namesOf(deployment: Deployment | null): Status['running'] {
  if (deployment === null) return null;
  const { role, commit, digest } = deployment.release;
  return { role, commit, digest };
}

function nameOf(desired: Desired | null): string {
  return desired === null ? 'nothing' : `${desired.role}@${desired.commit.slice(0, 12)}`;
}
