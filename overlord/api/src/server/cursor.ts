import { PAGE } from '@metrica-fleet/protocol/api';
import { ApiError } from './api-error.ts';

/** Where the next page begins: the sort keys of the last row of this one, opaque to the caller. */
function encodeCursor(keys: readonly string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/** The sort keys in a cursor, `count` of them; null without a cursor. Throws `bad-request` for what we never gave out. */
export function decodeCursor(cursor: string | undefined, count: number): readonly string[] | null {
  if (cursor === undefined) return null;
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(keys) && keys.length === count && keys.every((key) => typeof key === 'string'))
      return keys;
  } catch {
    // Falls through: no cursor of ours.
  }
  throw new ApiError('bad-request', 'The cursor is none that this list gave out', {
    field: '/cursor',
    remedy: 'Leave it out for the first page; then use `next` of the page before.',
  });
}

/** Rows to ask for: one more than the page, which says whether there is another. */
export function pageSize(limit: number | undefined): number {
  return Math.min(limit ?? PAGE.default, PAGE.limit);
}

/** One page of rows that were asked for with `size + 1`. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  { size, keys, item }: { size: number; keys: (row: Row) => readonly string[]; item: (row: Row) => Item },
): { items: Item[]; next: string | null } {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const next = rows.length > size && last !== undefined ? encodeCursor(keys(last)) : null;
  return { items: page.map(item), next };
}
