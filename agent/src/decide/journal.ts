import type { Problem, Release, Variables } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';
import type { UpdateWindow } from './window.ts';

/** What a service of a deployment must look like when all is well. */
export interface ServiceExpectation {
  /** Digest of everything that goes into the service; also a label of its container. */
  readonly inputs: string;
  /** A one-shot is well when it has exited 0; any other service when it runs. */
  readonly oneShot: boolean;
}

/** A release with the variables it runs with: what is staged, gated and reverted as one. */
export interface Deployment {
  /** `wantedKey` of the desired state that it was made from. */
  readonly key: string;
  readonly release: Release;
  readonly variables: Variables;
  readonly services: Readonly<Record<string, ServiceExpectation>>;
  /** Image references of the services, sorted: what must be here before the swap, and stays while this may be needed. */
  readonly images: readonly string[];
  /** `update_interval` of the role, in seconds. */
  readonly interval: number;
  /** `signals` of the role. Absent: written by an agent before 0.2. */
  readonly signals?: 'sse' | 'mqtt' | 'off';
  /** `heartbeat` of the role, in seconds. Absent: as `signals`. */
  readonly heartbeat?: number;
  /** `update.window` of the role: when the swap may happen. Absent: at any time. */
  readonly window?: UpdateWindow;
}

/** What is on its way in. `deployment` is null until the files are here and valid. */
export interface Incoming {
  readonly key: string;
  readonly wanted: Desired;
  readonly deployment: Deployment | null;
  /** The boot in which it was staged first, if it was staged before and had to wait for its window. */
  readonly stagedIn?: string;
  /** There was no room for it, and what nobody needs has been removed. It is tried once more. */
  readonly cleared?: boolean;
}

/** A deployment that is staged and waits for its update window. */
export interface Scheduled {
  readonly deployment: Deployment;
  /** The boot in which it was staged first: a window may say «or at the next boot». */
  readonly stagedIn: string;
}

/** Memory of a health gate that runs over several runs and perhaps reboots. */
export interface Gate {
  /** When the gate was opened in this boot. */
  readonly opened: Moment;
  /** Since when everything has been good without a break; null while it is not. */
  readonly goodSince: Moment | null;
  /** Restart counts when the gate was opened, by container id: one more is a failure. */
  readonly restarts: Readonly<Record<string, number>>;
  /** Reboots since the first activation, and restarts of the engine: to a gate they are the same. */
  readonly reboots: number;
  /** Which life of the engine it was opened in; absent where that is not known. */
  readonly engine?: string;
}

/** Why nothing runs, since when, and what will be tried next. Kept until a deployment has passed its gate. */
export interface Safe {
  readonly problem: Problem;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** Somebody ordered it: it stays until somebody asks for a redeploy. */
  readonly held: boolean;
  /** When `Journal.current` is tried again by itself: what broke it may have been the world (a camera, a broker). */
  readonly retry: Backoff;
}

/**
 * idle ─▶ staging ─▶ staged ─▶ activating ─▶ probation ─▶ idle
 *            │          │          │             │
 *            ▼          ▼          ▼             ▼
 *          idle       idle     reverting ◀───────┘
 *                                  └──▶ probation (of the former deployment) ─▶ idle
 *
 * safe: nothing healthy is left to go back to. Out of it as out of idle, by what is wanted, or by trying `current` again.
 */
export type State =
  | { readonly name: 'idle' }
  | { readonly name: 'staging'; readonly incoming: Incoming }
  | {
      readonly name: 'staged';
      readonly next: Deployment;
      /** The boot in which it was staged first. Absent: a journal of a former agent. */
      readonly stagedIn?: string;
    }
  | {
      readonly name: 'activating';
      readonly next: Deployment;
      /** Reboots since the first activation: three in a row count as a failed gate. */
      readonly reboots: number;
      /** The boot in which it was begun last; absent in a journal of a former agent. */
      readonly boot?: string;
      readonly revertedFor: Problem | null;
    }
  | {
      readonly name: 'probation';
      readonly next: Deployment;
      readonly gate: Gate;
      /** Why the device went back to this deployment; null on the way forward. */
      readonly revertedFor: Problem | null;
    }
  | {
      readonly name: 'reverting';
      /** What is taken away. Where to go back to is `Journal.current`. */
      readonly failed: Deployment;
      readonly problem: Problem;
      readonly attempts: number;
    }
  | { readonly name: 'safe' };

export type StateName = State['name'];

/** A deployment whose content failed here. It is not tried again until an operator asks or a newer one comes. */
export interface Quarantined {
  readonly key: string;
  readonly role: string;
  readonly commit: string;
  readonly problem: Problem;
  readonly at: string;
}

/** Something that did not work and will be tried again, not before `notBefore`. */
export interface Backoff {
  readonly key: string;
  readonly attempts: number;
  readonly last: Moment;
  /** Seconds after `last.uptime`. After a reboot the next try is at once. */
  readonly wait: number;
  readonly problem: Problem;
}

export interface Journal {
  readonly schemaVersion: 1;
  readonly state: State;
  /** The last deployment that passed its gate, and that is meant to run. */
  readonly current: Deployment | null;
  /** The one before: where `reverting` goes when `current` itself goes bad later. */
  readonly previous: Deployment | null;
  readonly quarantine: readonly Quarantined[];
  /** Highest statement counter accepted, by role. */
  readonly counters: Readonly<Record<string, number>>;
  /** Backoff of the update that is wanted. */
  readonly delayed: Backoff | null;
  /** Backoff of repairs to the current deployment. */
  readonly repairs: Backoff | null;
  /** Staged, waiting for its window. Absent: nothing is. */
  readonly scheduled?: Scheduled;
  /**
   * Something may lie about that nothing needs: `due` from the begin of an update on, then a backoff while it cannot be
   * removed. Absent: nothing does.
   */
  readonly litter?: Backoff | 'due';
  /** In safe mode, or on the way out of it. Absent: not, as in a journal of a former agent. */
  readonly safe?: Safe;
  /** When `current` passed its gate, ISO 8601 UTC; null before the first. */
  readonly updatedAt: string | null;
  /** Changes of state since the last idle: the brake on loops. */
  readonly hops: number;
  /**
   * Lines of history so far. The same thing may happen twice with all else in the journal as it was; this tells the one
   * from the other. Absent: written by an agent before 0.2.
   */
  readonly lines?: number;
}

export const EMPTY_JOURNAL: Journal = {
  schemaVersion: 1,
  state: { name: 'idle' },
  current: null,
  previous: null,
  quarantine: [],
  counters: {},
  delayed: null,
  repairs: null,
  updatedAt: null,
  hops: 0,
};
