import { parse } from '@metrica-fleet/protocol';
import { OrderSchema, type Order } from '@metrica-fleet/protocol/api';
import { Array as List, Enum, Literal, Object as Obj, String as Str, type Static } from 'typebox';
import type { Disk } from '../ports/disk.ts';

/** Orders that are remembered; a former one that came again after that many others would be carried out again. */
const REMEMBERED = 100;

/**
 * `received` is to be carried out; `started` may have been, in whole or in part, and is never begun again; `done` has
 * its acknowledgement in the outbox.
 */
const ORDER_STATES = ['received', 'started', 'done'] as const;

const EntrySchema = Obj({
  order: OrderSchema,
  state: Enum(ORDER_STATES),
  /** The boot in which it reached that state. */
  boot: Str(),
});
export type LedgerEntry = Static<typeof EntrySchema>;

const LedgerSchema = Obj({ schemaVersion: Literal(1), entries: List(EntrySchema) });

/** Orders that came, oldest first. A file that cannot be read is as good as none. */
export async function readLedger(disk: Disk, path: string): Promise<readonly LedgerEntry[]> {
  const text = await disk.readText(path);
  if (text === null) return [];
  try {
    return parse(LedgerSchema, JSON.parse(text), { where: path }).entries;
  } catch {
    return [];
  }
}

/** Writes down orders that have just come; one that is known already is not taken again. Returns whether there was a new one. */
export async function receiveOrders(
  disk: Disk,
  path: string,
  { orders, boot }: { readonly orders: readonly Order[]; readonly boot: string },
): Promise<boolean> {
  if (orders.length === 0) return false;
  const entries = await readLedger(disk, path);
  const fresh = orders.filter(({ id }) => !entries.some(({ order }) => order.id === id));
  if (fresh.length === 0) return false;
  const received = fresh.map((order): LedgerEntry => ({ order, state: 'received', boot }));
  await write(disk, path, [...entries, ...received]);
  return true;
}

/** Moves an order on, for good before this returns. */
export async function markOrder(
  disk: Disk,
  path: string,
  { id, state, boot }: { readonly id: string } & Pick<LedgerEntry, 'state' | 'boot'>,
): Promise<void> {
  const entries = await readLedger(disk, path);
  const marked = entries.map((entry) => (entry.order.id === id ? { ...entry, state, boot } : entry));
  await write(disk, path, marked);
}

async function write(disk: Disk, path: string, entries: readonly LedgerEntry[]): Promise<void> {
  const ledger = { schemaVersion: 1, entries: entries.slice(-REMEMBERED) };
  await disk.replace('orders.ledger', path, `${JSON.stringify(ledger)}\n`);
}
