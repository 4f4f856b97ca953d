import type { EnrolmentToken } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type Selectable } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { hashToken, makeToken } from '../operators/secret-token.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  /** The line that a person runs on a Pi, for a token that is read from the terminal or a file. */
  readonly command: (token: string) => string;
}

type Routes = 'listEnrolmentTokens' | 'createEnrolmentToken' | 'revokeEnrolmentToken';

const HOUR = 3_600_000;
const DEFAULT_HOURS = 24;

/** Tokens that let devices join. Used up, over or revoked ones are not listed any more. */
export function enrolmentTokenRoutes({ db, command }: Ports): HandlersOf<Routes> {
  return {
    listEnrolmentTokens: async ({ query }) => {
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 2);
      const rows = await db
        .selectFrom('enrolment_tokens')
        .selectAll()
        .select(sql<string>`created_at::text`.as('created_key'))
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', new Date())
        .where('uses_left', '>', 0)
        .$if(after !== null, (builder) =>
          builder.where(sql<boolean>`(created_at, id) < (${after?.[0]}::timestamptz, ${after?.[1]}::uuid)`),
        )
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: (row) => [row.created_key, row.id], item: show });
    },

    createEnrolmentToken: async ({ body, caller, address }) => {
      const token = makeToken('mfe');
      const uses = body.uses ?? 1;
      const name =
        body.name ?? `${body.role ?? 'any role'}, ${uses === 1 ? 'one device' : `${uses} devices`}`;
      const row = await db.transaction().execute(async (trx) => {
        await recordAudit(trx, {
          actor: caller.name,
          action: 'create enrolment token',
          subject: `token:${name}`,
          detail: `${uses} uses, ${body.segment ?? 'general'}`,
          address,
        });
        await announce(trx, 'enrolment');
        return trx
          .insertInto('enrolment_tokens')
          .values({
            id: randomUUID(),
            token_hash: hashToken(token),
            name,
            role: body.role ?? null,
            segment: body.segment ?? 'general',
            site: body.site ?? null,
            auto_approve: body.autoApprove ?? true,
            uses,
            uses_left: uses,
            created_by: caller.name,
            expires_at: new Date(Date.now() + (body.hours ?? DEFAULT_HOURS) * HOUR),
            revoked_at: null,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
      });
      return { enrolmentToken: show(row), token, command: command(token) };
    },

    revokeEnrolmentToken: async ({ params, caller, address }) => {
      await db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('enrolment_tokens')
          .set({ revoked_at: new Date() })
          .where('id', '=', params.id)
          .where('revoked_at', 'is', null)
          .returning('name')
          .executeTakeFirst();
        if (row === undefined) throw new ApiError('not-found', 'There is no such enrolment token');
        const subject = `token:${row.name}`;
        await recordAudit(trx, { actor: caller.name, action: 'revoke enrolment token', subject, address });
        await announce(trx, 'enrolment');
      });
      return undefined;
    },
  };
}

function show(row: Selectable<Schema['enrolment_tokens']>): EnrolmentToken {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    segment: row.segment,
    site: row.site,
    autoApprove: row.auto_approve,
    usesLeft: row.uses_left,
    uses: row.uses,
    createdBy: row.created_by,
    createdAt: timeOf(row.created_at),
    expiresAt: timeOf(row.expires_at),
  };
}
