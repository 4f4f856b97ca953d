import type { Operator } from '@metrica-fleet/protocol/api';
import type { Kysely } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf, timeOrNull } from '../server/time.ts';
import { acceptInvitation } from './first-admin.ts';
import { isSecure, sessionCookie } from './identify.ts';
import { checkPassword, hashPassword } from './password.ts';
import { beginSession, endSession, endSessionsOf, type Begun } from './sessions.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';

type Routes =
  'createFirstAdmin' | 'signIn' | 'signOut' | 'me' | 'listOperators' | 'createOperator' | 'updateOperator';

/** SQLSTATE of a value that is there already. */
const UNIQUE_VIOLATION = '23505';

/** People: the first admin, signing in and out, and who there is. */
export function operatorRoutes({ db }: { readonly db: Kysely<Schema> }): HandlersOf<Routes> {
  // Who does not exist takes as long as a wrong password: names cannot be found out by the clock.
  const nobody = hashPassword(randomUUID());

  return {
    createFirstAdmin: async ({ body, request, reply, address }) => {
      if (!(await acceptInvitation(db, body.token, new Date()))) {
        throw new ApiError('token-used', 'This link has been used, or is over', {
          remedy: 'Is there an admin already? If not, restart the overlord: it prints a new link.',
        });
      }
      const id = randomUUID();
      const { name } = body;
      await insertOperator(db, { id, name, role: 'admin', password: body.password });
      await recordAudit(db, {
        actor: name,
        action: 'create first admin',
        subject: `operator:${name}`,
        address,
      });
      const session = await beginSession(db, id, new Date());
      setCookie(reply, request, session);
      return { id, name, role: 'admin', csrf: session.csrf };
    },

    signIn: async ({ body, request, reply, address }) => {
      const found = await db
        .selectFrom('operators')
        .selectAll()
        .where('name', '=', body.name)
        .where('disabled', '=', false)
        .executeTakeFirst();
      const right = await checkPassword(body.password, found?.password_hash ?? (await nobody));
      if (found === undefined || !right) {
        await recordAudit(db, {
          actor: 'nobody',
          action: 'fail to sign in',
          subject: `operator:${body.name}`,
          address,
        });
        throw new ApiError('unauthenticated', 'Name and password do not belong together');
      }
      const session = await beginSession(db, found.id, new Date());
      await db
        .updateTable('operators')
        .set({ last_seen_at: new Date() })
        .where('id', '=', found.id)
        .execute();
      await recordAudit(db, {
        actor: found.name,
        action: 'sign in',
        subject: `operator:${found.name}`,
        address,
      });
      setCookie(reply, request, session);
      return { id: found.id, name: found.name, role: found.role, csrf: session.csrf };
    },

    signOut: async ({ request, reply }) => {
      const cookie = sessionCookie(isSecure(request.protocol));
      const token = request.cookies[cookie];
      if (token !== undefined) await endSession(db, token);
      void reply.clearCookie(cookie, { path: '/', secure: isSecure(request.protocol) });
      return undefined;
    },

    me: ({ caller: { id, name, role, csrf } }) => ({ id, name, role, csrf }),

    listOperators: async ({ query }) => {
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 1)?.[0];
      const rows = await db
        .selectFrom('operators')
        .selectAll()
        .$if(after !== undefined, (builder) => builder.where('name', '>', String(after)))
        .orderBy('name')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: ({ name }) => [name], item: show });
    },

    createOperator: async ({ body, caller, address }) => {
      const row = await insertOperator(db, { id: randomUUID(), ...body });
      const subject = `operator:${body.name}`;
      await recordAudit(db, {
        actor: caller.name,
        action: 'create operator',
        subject,
        detail: body.role,
        address,
      });
      return show(row);
    },

    updateOperator: async ({ params, body, caller, address }) => {
      const hash = body.password === undefined ? undefined : await hashPassword(body.password);
      return db.transaction().execute(async (trx) => {
        // One change of admins at a time, or two could take each other's last right away.
        const admins = await trx
          .selectFrom('operators')
          .select('id')
          .where('role', '=', 'admin')
          .where('disabled', '=', false)
          .forUpdate()
          .execute();
        const demoted = body.disabled === true || (body.role !== undefined && body.role !== 'admin');
        if (demoted && admins.length === 1 && admins[0]?.id === params.id) {
          throw new ApiError('conflict', 'This is the last admin', { remedy: 'Make another admin first.' });
        }
        const row = await trx
          .updateTable('operators')
          .set({
            ...(body.role === undefined ? {} : { role: body.role }),
            ...(body.disabled === undefined ? {} : { disabled: body.disabled }),
            ...(hash === undefined ? {} : { password_hash: hash }),
          })
          .where('id', '=', params.id)
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) throw new ApiError('not-found', 'There is no such operator');
        if (hash !== undefined || body.disabled === true) await endSessionsOf(trx, params.id);
        const detail = Object.keys(body).join(', ');
        const subject = `operator:${row.name}`;
        await recordAudit(trx, { actor: caller.name, action: 'change operator', subject, detail, address });
        return show(row);
      });
    },
  };
}

interface NewOperator {
  readonly id: string;
  readonly name: string;
  readonly role: Operator['role'];
  readonly password: string;
}

async function insertOperator(
  db: Kysely<Schema>,
  { id, name, role, password }: NewOperator,
): Promise<OperatorRow> {
  const password_hash = await hashPassword(password);
  try {
    return await db
      .insertInto('operators')
      .values({ id, name, role, password_hash, last_seen_at: null })
      .returningAll()
      .executeTakeFirstOrThrow();
  } catch (thrown) {
    if ((thrown as { readonly code?: string }).code !== UNIQUE_VIOLATION) throw thrown;
    throw new ApiError('conflict', `There is an operator called ${name} already`, { field: '/name' });
  }
}

/** Not Strict: links from alerts and redirects after signing in must arrive signed in. Changes need the CSRF token anyway. */
function setCookie(reply: FastifyReply, request: FastifyRequest, session: Begun): void {
  const secure = isSecure(request.protocol);
  void reply.setCookie(sessionCookie(secure), session.token, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    expires: session.expires,
  });
}

interface OperatorRow {
  readonly id: string;
  readonly name: string;
  readonly role: Operator['role'];
  readonly disabled: boolean;
  readonly created_at: Date;
  readonly last_seen_at: Date | null;
}

function show({ id, name, role, disabled, created_at, last_seen_at }: OperatorRow): Operator {
  return { id, name, role, disabled, createdAt: timeOf(created_at), lastSeenAt: timeOrNull(last_seen_at) };
}
