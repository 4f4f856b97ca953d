import type { Stage } from '@metrica-fleet/protocol';
import type { RolloutState, StageCounts } from '@metrica-fleet/protocol/api';
import type { StageProgress } from '../db/schema.ts';

/** A rollout as the planner sees it: what was agreed when it began, and how far it has come. */
export interface Rollout {
  readonly state: RolloutState;
  readonly stages: readonly Stage[];
  /** One entry per stage that has been opened, in order; empty before the first. */
  readonly progress: readonly StageProgress[];
}

/** What the fleet looks like to a rollout. */
export interface Seen {
  /** Of each stage that has been opened; those that follow cover nobody yet. */
  readonly counts: readonly StageCounts[];
  /** Active devices of the role, covered or not: `held` when there are some, but all with their updates off. */
  readonly roleDevices: 'none' | 'held' | 'some';
}

/** What happens to a rollout next. Each is one transaction, with its audit entry and its signals. */
export type Transition =
  /** The next stage is opened: its devices are covered and woken. */
  | { readonly kind: 'open'; readonly stage: number }
  /** Nobody is a canary: one device of the role stands in, so that the first stage is never empty. */
  | { readonly kind: 'stand-in' }
  /** The gate of the open stage is met: its soak begins. */
  | { readonly kind: 'soak'; readonly stage: number }
  /** It is not met any more, as by a device that came back: the soak begins anew with the next time it is. */
  | { readonly kind: 'break-soak'; readonly stage: number }
  /** Too many of a stage failed: the rollout ends, and what took the release goes back. */
  | { readonly kind: 'halt'; readonly stage: number }
  /** A person must look: there is no evidence to go on with. */
  | { readonly kind: 'pause'; readonly reason: string }
  /** Every stage has passed: the release is what the role runs. */
  | { readonly kind: 'done' };

/** What a stage counts before anybody is covered. */
export const NOBODY: StageCounts = {
  total: 0,
  pending: 0,
  updating: 0,
  healthy: 0,
  failed: 0,
  offline: 0,
};
