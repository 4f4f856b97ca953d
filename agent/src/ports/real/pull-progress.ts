import type { PullProgress } from '../image-puller.ts';

/** A line of the engine's answer to `POST /images/create`. */
export interface PullMessage {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

/** Adds up what the engine says layer by layer. */
export interface ProgressCounter {
  /** The new sum, or null where the message is no progress: a retry, a wait, the same number again. */
  add(message: PullMessage): PullProgress | null;
}

const DONE = new Set(['Pull complete', 'Already exists']);
const IDLE = /^(Retrying|Waiting)/;

export function progressCounter(): ProgressCounter {
  const seen = new Map<string, string>();
  const bytes = new Map<string, number>();
  const done = new Set<string>();
  return {
    add({ id = '', status = '', progressDetail }) {
      if (IDLE.test(status)) return null;
      const { current } = progressDetail ?? {};
      const now = `${status} ${current ?? ''}`;
      if (seen.get(id) === now) return null;
      seen.set(id, now);
      if (id !== '') {
        const phase = `${id} ${status}`;
        bytes.set(phase, Math.max(bytes.get(phase) ?? 0, current ?? 0));
        if (DONE.has(status)) done.add(id);
      }
      const sum = [...bytes.values()].reduce((a, b) => a + b, 0);
      return {
        bytes: sum,
        layersDone: done.size,
        layers: [...seen.keys()].filter((key) => /^[0-9a-f]{12}$/.test(key)).length,
      };
    },
  };
}
