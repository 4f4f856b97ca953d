import type { Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';
import type { Deployment, Gate, Journal, Safe, StateName } from './journal.ts';

/** What observe/ saw: the world at the start of a run, or after an effect that asks for another look. */
export interface Observation {
  /** The newest answer of a source, or the cached one; null on a device that never had one. */
  readonly desired: Desired | null;
  /** A source has said that nothing is wanted, which is more than that none has ever said anything. */
  readonly withdrawn?: boolean;
  /** What is not as the current deployment wants it, worst first; empty when all is well, null when Docker did not answer. */
  readonly faults: readonly Fault[] | null;
  /** Why Docker did not answer. */
  readonly blind?: Problem;
  /** The disk is nearly full, see `WATERMARK`. */
  readonly cramped?: boolean;
  /** Somebody orders safe mode. Taken by a device that is not in the middle of a swap. */
  readonly stop?: boolean;
}

/** One thing about the running stack, or about what it needs, that is not as it should be. */
export interface Fault {
  readonly kind:
    | 'missing'
    | 'stopped'
    | 'unhealthy'
    | 'outdated'
    /** A container that has lost its network. */
    | 'cut-off'
    | 'dangling-link'
    | 'release-lost'
    | 'engine-down'
    /** Next to nothing is free any more, bytes or inodes. */
    | 'full-disk'
    /** A file of the release is gone, differs from its manifest, or is none of the release's. */
    | 'changed-file'
    /** What containers mount is not what its digest says. */
    | 'changed-mount'
    /** Owner or mode of a file of the release, or of a state folder. */
    | 'wrong-mode'
    | 'lost-image'
    /** A program of an image that worked cannot be executed any more: a power cut left it empty. */
    | 'corrupt-image'
    /** A unit of the agent is gone, changed or disabled. */
    | 'lost-unit';
  /** The service; for files and folders the path; the image; the unit. */
  readonly subject: string;
  /** What was seen, for people; follows the subject in a sentence. */
  readonly detail: string;
}

/** What can happen to the agent. An effect ends in exactly one of these; `observed` opens every run. */
export type Event =
  | { readonly type: 'observed'; readonly seen: Observation }
  | { readonly type: 'fetched'; readonly deployment: Deployment; readonly counter: number | null }
  | { readonly type: 'pulling' }
  | { readonly type: 'pulled' }
  | { readonly type: 'marked' }
  | { readonly type: 'activated'; readonly gate: Gate }
  | { readonly type: 'waiting'; readonly gate: Gate }
  /** The gate saw the engine restart, which takes every container down: that says nothing about the release. */
  | { readonly type: 'disturbed' }
  | { readonly type: 'passed' }
  /** What was found and what was done about it; with a problem where that was not enough. */
  | { readonly type: 'repaired'; readonly detail: string; readonly problem?: Problem }
  /** A repair goes on without us: images are pulled. */
  | { readonly type: 'mending' }
  /** What was removed: names of images, and bytes of everything; and what could not be, or that it was not enough. */
  | {
      readonly type: 'collected';
      readonly images: readonly string[];
      readonly bytes: number;
      readonly problem: Problem | null;
    }
  | { readonly type: 'failed'; readonly problem: Problem };

export type EventType = Event['type'];

/** What the agent can do to the world. Each can be repeated without harm; one executor per kind in act/. */
export type Effect =
  /** Fetch, unpack, verify, validate and resolve what is wanted → fetched. */
  | {
      readonly kind: 'fetch';
      readonly wanted: Desired;
      readonly key: string;
      readonly floor: Readonly<Record<string, number>>;
    }
  /** See that the images are here, by the pull unit → pulled, or pulling and the run ends. `cleared`: see Incoming. */
  | { readonly kind: 'pull'; readonly deployment: Deployment; readonly cleared?: boolean }
  /** Point `app_next` at the staged release → marked. */
  | { readonly kind: 'mark'; readonly deployment: Deployment }
  /** Swap the symlink and bring the changed services up → activated. */
  | { readonly kind: 'activate'; readonly deployment: Deployment; readonly from: Deployment | null }
  /** Judge the health gate for as long as a run may take → passed, waiting, disturbed, or failed. */
  | { readonly kind: 'judge'; readonly deployment: Deployment; readonly gate: Gate }
  /** Go back to a deployment, offline → activated; with `to` null, only stop what failed → passed. */
  | { readonly kind: 'revert'; readonly failed: Deployment; readonly to: Deployment | null }
  /** Put right what is not as it should be → repaired, or mending and the run ends. */
  | {
      readonly kind: 'repair';
      readonly deployment: Deployment;
      readonly faults: readonly Fault[];
      /** What a source offers, if that is this very deployment: where lost files come from. */
      readonly offered?: Desired;
    }
  /** Stop what failed, and say why: SSH and a page → nothing follows. Repeated by every run in safe mode. */
  | { readonly kind: 'enter-safe'; readonly failed: Deployment | null; readonly safe: Safe }
  /** Remove releases, mounts and images that none of these needs, nor a symlink, nor a container → collected. */
  | { readonly kind: 'collect'; readonly keep: readonly Deployment[] };

export type EffectKind = Effect['kind'];

/** What is worth remembering of a step: a line of `history.jsonl`, of the log and later of the device's timeline. */
export interface HistoryEntry {
  readonly at: Moment;
  readonly event:
    | 'update-started'
    | 'staged'
    | 'activated'
    | 'updated'
    | 'failed'
    | 'delayed'
    | 'reverted'
    | 'repaired'
    | 'rebuilt'
    | 'scheduled'
    | 'collected'
    | 'safe-mode';
  readonly state: StateName;
  readonly role?: string;
  readonly commit?: string;
  readonly digest?: string;
  readonly detail?: string;
  readonly problem?: Problem;
}

/** The answer of decide: remember this, then do that. */
export interface Step {
  readonly journal: Journal;
  readonly effect: Effect | null;
  readonly history: readonly HistoryEntry[];
}
