import type { Status, VariableLayer } from '@metrica-fleet/protocol';

/** What a source says that this device should run. */
export interface Desired {
  readonly schemaVersion: 1;
  readonly role: string;
  readonly commit: string;
  /** Content digest where the source knows it before the files are here; null with plain Git. */
  readonly digest: string | null;
  /** Name of the source that said so. */
  readonly source: string;
  /** How far the source has been read (for Git the head commit): the same position means that nothing is new. */
  readonly position: string;
  /** The source's token for the role's content, so that a commit that does not touch the role makes no new release. */
  readonly tree: string;
  /** Values of variables, weakest first, not yet checked against the role. */
  readonly layers: readonly VariableLayer[];
  /** What vouches for it, where the source says so along with it. */
  readonly statement?: NonNullable<Fetched['statement']>;
  /** Counter of a statement that was verified for it; absent where none was looked at. */
  readonly counter?: number;
  /** When it was made, ISO 8601 UTC: tells older from newer where nobody signs. */
  readonly time?: string;
}

/** How a source is asked. */
export interface Asking {
  /** Somebody waits for this run: a signal, an order, a person. A source may not spare itself the way. */
  readonly eager: boolean;
  /** What is wanted so far, by whichever source; absent where nobody has ever said. */
  readonly standing?: Desired | undefined;
}

/** Files of one release in a folder of their own, and what vouches for them. */
export interface Fetched {
  /** Signed statement and its signature, where the source has them. */
  readonly statement: { readonly text: string; readonly signature: string } | null;
}

/** One way by which releases reach the device. All are interchangeable: what arrives is verified whatever brought it. */
export interface Source {
  /** For people: `git https://…#main`, `directory /media/usb`. Never with credentials. */
  readonly name: string;
  /** Whether a release from here must carry a statement even where no signers are configured (a USB stick has no pinned remote). */
  readonly needsStatement: boolean;
  /** It brings releases by hand, now and then: one that is not there is no fault, one that has nothing newer says nothing. */
  readonly carrier: boolean;
  /**
   * What is wanted now. `last` is its own former answer, for a carrier what stands; returned as it is when nothing
   * changed. Null: nothing is wanted, and what runs is kept.
   * Throws `source-unreachable`, `source-denied`, `branch-not-found`, `role-not-found`.
   */
  desired(last: Desired | null, asking: Asking): Promise<Desired | null>;
  /** Puts the role's files into an empty folder. Partial work of an interrupted fetch is used where it can be. */
  fetch(wanted: Desired, folder: string): Promise<Fetched>;
  /** Where somebody listens: how the run ended, if that is news there. `wanted` is what it worked from. */
  tell?(status: Status, wanted: Desired | null): Promise<void>;
}

/** One that wants something whenever it answers, and costs too little to be spared. */
export interface SteadySource extends Source {
  desired(last: Desired | null, asking?: Pick<Asking, 'standing'>): Promise<Desired>;
}
