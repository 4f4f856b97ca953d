import type { DeviceDetail, DevicesQuery, UpdateDevice } from '@metrica-fleet/protocol/api';
import type { Kysely, Transaction } from 'kysely';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { HandlersOf, OperatorCaller } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import { addEvent } from './add-event.ts';
import { deviceSummaries, joinedDevices, showDevice, showSummary } from './device-rows.ts';
import { STATE } from './state-sql.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  /** Wakes devices, in the transaction that gives the reason. */
  readonly wake: (
    trx: Transaction<Schema>,
    devices: readonly string[],
    reason: 'release' | 'order' | 'variables',
  ) => Promise<void>;
}

type Routes = 'deviceMap' | 'listDevices' | 'showDevice' | 'updateDevice' | 'revokeDevice';

/** SQLSTATE of a value that is there already. */
const UNIQUE_VIOLATION = '23505';

/** The devices as people see and change them. */
export function deviceRoutes({ db, wake }: Ports): HandlersOf<Routes> {
  return {
    deviceMap: async ({ reply }) => {
      // 100,000 rows: Fastify's own serializer tries each value against each type that its schema names.
      reply.serializer(JSON.stringify);
      const rows = await joinedDevices(db)
        .select(['devices.id', 'devices.name', 'devices.role', 'devices.segment', 'devices.site'])
        .select('device_status.commit')
        .select(STATE.as('state'))
        .where('devices.membership', '=', 'active')
        .orderBy('devices.name')
        .execute();
      return {
        time: timeOf(new Date()),
        devices: rows.map(({ id, name, state, role, segment, site, commit }) => [
          id,
          name,
          state,
          role,
          segment,
          site,
          commit,
        ]),
      };
    },

    listDevices: async ({ query }) => {
      const size = pageSize(query.limit);
      const rows = await filtered(db, query)
        .orderBy('devices.name')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: ({ name }) => [name], item: showSummary });
    },

    showDevice: async ({ params, caller }) => forEyesOf(caller, await showDevice(db, params.id)),

    updateDevice: async ({ params: { id }, body, caller, address }) => {
      const before = await showDevice(db, id);
      await db.transaction().execute(async (trx) => {
        await change(trx, id, body);
        const what = Object.entries(body).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
        const subject = `device:${before.name}`;
        const detail = what.join(', ').slice(0, 1_000);
        await recordAudit(trx, { actor: caller.name, action: 'change device', subject, detail, address });
        await addEvent(trx, { device: id, kind: 'changed', text: `${caller.name} changed ${detail}` });
        await announce(trx, 'devices', id);
        await announce(trx, 'decisions');
        await wake(trx, [id], 'variables');
      });
      return showDevice(db, id);
    },

    revokeDevice: async ({ params: { id }, body, caller, address }) => {
      await db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('devices')
          .set((eb) => ({ membership: 'revoked', epoch: eb('epoch', '+', 1) }))
          .where('id', '=', id)
          .where('membership', '<>', 'revoked')
          .returning('name')
          .executeTakeFirst();
        if (row === undefined)
          throw new ApiError('conflict', 'This device has been revoked before, or is not there');
        const subject = `device:${row.name}`;
        const detail = body.reason ?? '';
        await recordAudit(trx, { actor: caller.name, action: 'revoke device', subject, detail, address });
        await addEvent(trx, {
          device: id,
          kind: 'revoked',
          text: `${caller.name} revoked it. ${detail}`.trim(),
        });
        await announce(trx, 'devices', id);
        await announce(trx, 'enrolment', id);
      });
      return showDevice(db, id);
    },
  };
}

/** The code of a device in safe mode is for who may give it orders: it does what one of them does. */
function forEyesOf({ role }: Pick<OperatorCaller, 'role'>, device: DeviceDetail): DeviceDetail {
  const { status } = device;
  if (role !== 'viewer' || status?.safeMode === undefined) return device;
  return { ...device, status: { ...status, safeMode: { ...status.safeMode, code: null } } };
}

function filtered(db: Kysely<Schema>, query: DevicesQuery) {
  const after = decodeCursor(query.cursor, 1)?.[0];
  const { state, membership, role, site, segment, commit, problem, enrolmentToken, q } = query;
  return (
    deviceSummaries(db)
      .$if(after !== undefined, (builder) => builder.where('devices.name', '>', String(after)))
      .$if(state !== undefined, (builder) => builder.where(STATE, '=', state ?? 'healthy'))
      // Who came with a token is asked to see who waits, too.
      .$if(membership !== undefined || enrolmentToken === undefined, (builder) =>
        builder.where('devices.membership', '=', membership ?? 'active'),
      )
      .$if(role !== undefined, (builder) => builder.where('devices.role', '=', String(role)))
      .$if(site !== undefined, (builder) => builder.where('devices.site', '=', String(site)))
      .$if(segment !== undefined, (builder) => builder.where('devices.segment', '=', segment ?? 'general'))
      .$if(commit !== undefined, (builder) => builder.where('device_status.commit', '=', String(commit)))
      .$if(enrolmentToken !== undefined, (builder) =>
        builder.where('devices.token_id', '=', String(enrolmentToken)),
      )
      .$if(problem !== undefined, (builder) =>
        builder.where('device_status.problem_code', '=', String(problem)),
      )
      .$if(q !== undefined, (builder) => builder.where('devices.name', 'like', `%${escapeLike(q ?? '')}%`))
  );
}

function escapeLike(text: string): string {
  return text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`);
}

async function change(trx: Transaction<Schema>, id: string, body: UpdateDevice): Promise<void> {
  if (body.role !== undefined) {
    const known = await trx
      .selectFrom('releases')
      .select('id')
      .where('role', '=', body.role)
      .executeTakeFirst();
    if (known === undefined) {
      throw new ApiError('bad-request', `There is no role ${body.role} in the fleet repo`, {
        field: '/role',
      });
    }
  }
  try {
    await trx
      .updateTable('devices')
      .set({
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.role === undefined ? {} : { role: body.role }),
        ...(body.site === undefined ? {} : { site: body.site }),
        ...(body.segment === undefined ? {} : { segment: body.segment }),
        ...(body.labels === undefined ? {} : { labels: JSON.stringify(body.labels) }),
        ...(body.updatesOff === undefined ? {} : { updates_off: body.updatesOff }),
      })
      .where('id', '=', id)
      .execute();
  } catch (thrown) {
    if ((thrown as { readonly code?: string }).code !== UNIQUE_VIOLATION) throw thrown;
    throw new ApiError('conflict', `There is a device called ${body.name ?? ''} already`, { field: '/name' });
  }
}
