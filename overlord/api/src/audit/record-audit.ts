import type { Kysely, Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';

/** One line of the audit: who did what to what. */
export interface AuditRecord {
  /** Name of the operator; `overlord` for what it does by itself. */
  readonly actor: string;
  /** A verb and a noun: `revoke device`, `halt rollout`. */
  readonly action: string;
  /** `device:front-door`, `role:camera`. */
  readonly subject: string;
  readonly detail?: string;
  readonly address?: string;
}

/** Writes an audit entry in the transaction that makes the change: neither is ever there without the other. */
export async function recordAudit(
  db: Kysely<Schema> | Transaction<Schema>,
  entry: AuditRecord,
): Promise<void> {
  const { actor, action, subject, detail = null, address = null } = entry;
  await db.insertInto('audit').values({ actor, action, subject, detail, address }).execute();
}
