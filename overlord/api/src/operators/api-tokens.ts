import type { ApiToken, OperatorRole } from '@metrica-fleet/protocol/api';
import type { Kysely } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { Caller, HandlersOf, OperatorCaller } from '../server/handler.ts';
import { timeOf, timeOrNull } from '../server/time.ts';
import { hashToken, makeToken } from './secret-token.ts';

const RANK: Readonly<Record<OperatorRole, number>> = { viewer: 0, operator: 1, admin: 2 };
/** `last_used_at` is for people who look for tokens that nobody uses: once an hour is enough. Milliseconds. */
const USE_RESOLUTION = 3_600_000;

type Row = {
  readonly id: string;
  readonly name: string;
  readonly role: OperatorRole;
  readonly monitoring: boolean;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
};

/** Who stands behind an API token; null when it is unknown, over, or its owner has been disabled. Never more than its owner. */
export async function findApiToken(db: Kysely<Schema>, token: string, now: Date): Promise<Caller | null> {
  const row = await db
    .selectFrom('api_tokens')
    .innerJoin('operators', 'operators.id', 'api_tokens.operator_id')
    .select([
      'api_tokens.id as token_id',
      'monitoring',
      'expires_at',
      'last_used_at',
      'api_tokens.role as token_role',
    ])
    .select(['operators.id', 'operators.name', 'operators.role'])
    .where('api_tokens.token_hash', '=', hashToken(token))
    .where('operators.disabled', '=', false)
    .executeTakeFirst();
  if (row === undefined || (row.expires_at !== null && row.expires_at <= now)) return null;
  if (row.last_used_at === null || now.getTime() - row.last_used_at.getTime() > USE_RESOLUTION) {
    await db.updateTable('api_tokens').set({ last_used_at: now }).where('id', '=', row.token_id).execute();
  }
  if (row.monitoring) return { kind: 'monitoring' };
  const role = RANK[row.token_role] < RANK[row.role] ? row.token_role : row.role;
  return { kind: 'operator', id: row.id, name: row.name, role, csrf: null };
}

type Routes = 'listApiTokens' | 'createApiToken' | 'revokeApiToken';

/** Everybody keeps their own tokens; an admin sees and revokes those of all. */
export function apiTokenRoutes({ db }: { readonly db: Kysely<Schema> }): HandlersOf<Routes> {
  return {
    listApiTokens: async ({ query, caller }) => {
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 1)?.[0];
      const rows = await db
        .selectFrom('api_tokens')
        .select(['id', 'name', 'role', 'monitoring', 'created_at', 'expires_at', 'last_used_at'])
        .$if(caller.role !== 'admin', (builder) => builder.where('operator_id', '=', caller.id))
        .$if(after !== undefined, (builder) => builder.where('id', '>', String(after)))
        .orderBy('id')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: ({ id }) => [id], item: show });
    },

    createApiToken: async ({ body, caller, address }) => {
      refuseMoreThanOwn(body.role, caller);
      const token = makeToken('mft');
      const expires = body.days === undefined ? null : new Date(Date.now() + body.days * 86_400_000);
      const row = await db.transaction().execute(async (trx) => {
        await recordAudit(trx, {
          actor: caller.name,
          action: 'create API token',
          subject: `token:${body.name}`,
          detail: body.monitoring === true ? 'for monitoring' : body.role,
          address,
        });
        return trx
          .insertInto('api_tokens')
          .values({
            id: randomUUID(),
            token_hash: hashToken(token),
            operator_id: caller.id,
            name: body.name,
            role: body.role,
            monitoring: body.monitoring ?? false,
            expires_at: expires,
            last_used_at: null,
          })
          .returning(['id', 'name', 'role', 'monitoring', 'created_at', 'expires_at', 'last_used_at'])
          .executeTakeFirstOrThrow();
      });
      return { apiToken: show(row), token };
    },

    revokeApiToken: async ({ params, caller, address }) => {
      await db.transaction().execute(async (trx) => {
        const row = await trx
          .deleteFrom('api_tokens')
          .where('id', '=', params.id)
          .$if(caller.role !== 'admin', (builder) => builder.where('operator_id', '=', caller.id))
          .returning('name')
          .executeTakeFirst();
        if (row === undefined) throw new ApiError('not-found', 'There is no such API token of yours');
        const subject = `token:${row.name}`;
        await recordAudit(trx, { actor: caller.name, action: 'revoke API token', subject, address });
      });
      return undefined;
    },
  };
}

function refuseMoreThanOwn(role: OperatorRole, caller: OperatorCaller): void {
  if (RANK[role] <= RANK[caller.role]) return;
  throw new ApiError('not-allowed', `Your own role is ${caller.role}; a token cannot have more`, {
    field: '/role',
  });
}

function show(row: Row): ApiToken {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    monitoring: row.monitoring,
    createdAt: timeOf(row.created_at),
    expiresAt: timeOrNull(row.expires_at),
    lastUsedAt: timeOrNull(row.last_used_at),
  };
}
