import type { Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Deployment, Gate, Journal, State } from './journal.ts';
import { giveUp } from './outcomes.ts';
import type { Step } from './vocabulary.ts';

/** Three reboots between swap and verdict are a failed gate: a release that crashes the machine looks like a power cut each time. */
const MAX_REBOOTS = 3;

export interface Activation {
  readonly next: Deployment;
  /** Reboots and restarts of the engine since the first activation. */
  readonly reboots: number;
  /** Null on the way forward. */
  readonly revertedFor: Problem | null;
}

/** True between the swap and its verdict: nothing else is begun then. */
export function isInSwap({ name }: State): boolean {
  return name === 'activating' || name === 'probation' || name === 'reverting';
}

/** Swaps a deployment in. On the way back, and out of safe mode, `app_prev` stays what it is. */
export function activate(journal: Journal, { next, reboots, revertedFor }: Activation, now: Moment): Step {
  const from = revertedFor === null && journal.safe === undefined ? journal.current : null;
  return {
    journal: { ...journal, state: { name: 'activating', next, reboots, boot: now.boot, revertedFor } },
    effect: { kind: 'activate', deployment: next, from },
    history: [],
  };
}

/** Opens the health gate of what has been activated. */
export function openGate(
  journal: Journal,
  { next, gate, revertedFor }: { next: Deployment; gate: Gate; revertedFor: Problem | null },
): Step {
  return {
    journal: { ...journal, state: { name: 'probation', next, gate, revertedFor } },
    effect: { kind: 'judge', deployment: next, gate },
    history: [],
  };
}

/** What to activate again when a gate was disturbed. */
export function afterGate({ next, gate, revertedFor }: Extract<State, { name: 'probation' }>): Activation {
  return { next, reboots: gate.reboots, revertedFor };
}

/** Activates once more after a reboot or a restart of the engine, unless that has happened too often. */
export function countReboot(journal: Journal, { next, reboots, revertedFor }: Activation, now: Moment): Step {
  const counted = reboots + 1;
  if (counted < MAX_REBOOTS) return activate(journal, { next, reboots: counted, revertedFor }, now);
  const problem: Problem = {
    code: 'reboot-loop',
    what: `The device or its Docker engine restarted ${counted} times before the release had proved itself`,
    remedy:
      'Look for a crash of the kernel or an undervoltage: `journalctl -k -b -1`, `journalctl -u docker`.',
  };
  return giveUp(journal, problem, now);
}
