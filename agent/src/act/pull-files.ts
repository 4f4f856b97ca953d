import type { Problem } from '@metrica-fleet/protocol';
import type { Disk } from '../ports/disk.ts';

/** What a run asks of the pull unit; in `/run`, so that a reboot forgets it and the next run asks again. */
export interface PullRequest {
  /** Of the deployment. */
  readonly key: string;
  readonly images: readonly string[];
  /** How often the unit has been started for it. A unit that dies without a result would otherwise be started for ever. */
  readonly starts: number;
}

/** How far the pull unit is; for `status` and for the watchdog. */
export interface PullState {
  readonly key: string;
  readonly image: string;
  /** Images done, of how many. */
  readonly done: number;
  readonly of: number;
  readonly bytes: number;
  readonly layersDone: number;
  readonly layers: number;
  /** Uptime in seconds when something last came. */
  readonly at: number;
}

/** How the pull unit ended. */
export interface PullResult {
  readonly key: string;
  readonly problem: Problem | null;
}

/** Reads one of the files above; null where there is none or it is torn: each can be asked for again. */
export async function readPullFile<T extends PullRequest | PullState | PullResult>(
  disk: Disk,
  path: string,
): Promise<T | null> {
  const text = await disk.readText(path);
  if (text === null) return null;
  try {
    const parsed: T = JSON.parse(text);
    return parsed;
  } catch {
    return null;
  }
}
