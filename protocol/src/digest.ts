import { createHash } from 'node:crypto';

import type { Digest } from './names.ts';

/** SHA-256 of bytes or UTF-8 text. */
export function digestOf(content: string | Uint8Array): Digest {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * JSON with sorted keys, no white space and no `undefined`: equal values give equal bytes, on every side and in every version.
 * Used for everything that is digested or signed (the idea of RFC 8785; numbers are integers in our documents).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Digest of a JSON value, whatever the order of its keys. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}
