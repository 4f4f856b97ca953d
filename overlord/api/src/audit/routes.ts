import type { Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';

/** The audit, newest first. */
export function auditRoutes({ db }: { readonly db: Kysely<Schema> }): HandlersOf<'listAudit'> {
  return {
    listAudit: async ({ query }) => {
      const size = pageSize(query.limit);
      const before = decodeCursor(query.cursor, 1)?.[0];
      const rows = await db
        .selectFrom('audit')
        .selectAll()
        .$if(before !== undefined, (builder) => builder.where('id', '<', String(before)))
        .orderBy('id', 'desc')
        .limit(size + 1)
        .execute();
      return toPage(rows, {
        size,
        keys: ({ id }) => [id],
        item: ({ id, at, actor, action, subject, detail, address }) => ({
          id,
          at: timeOf(at),
          actor,
          action,
          subject,
          detail,
          address,
        }),
      });
    },
  };
}
