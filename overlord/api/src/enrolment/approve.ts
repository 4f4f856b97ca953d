import type { Kysely, Selectable, Transaction } from 'kysely';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { addEvent } from '../devices/add-event.ts';
import { showDevice } from '../devices/device-rows.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';

type Device = Selectable<Schema['devices']>;

/**
 * An operator lets a device in that waits, or settles that a device in conflict is one again. A board that is in the
 * fleet already and comes with a new card takes the place of its former self: id, name and history stay, and the key of
 * the old card counts no more. The device learns of it when it asks to enrol again.
 */
export function approveRoutes({ db }: { readonly db: Kysely<Schema> }): HandlersOf<'approveDevice'> {
  return {
    approveDevice: async ({ params: { id }, caller, address }) => {
      const approved = await db.transaction().execute(async (trx) => {
        const device = await trx
          .selectFrom('devices')
          .selectAll()
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (device === undefined) throw new ApiError('not-found', 'There is no such device');
        const { device: now, text } = await approve(trx, device);
        const subject = `device:${now.name}`;
        await recordAudit(trx, {
          actor: caller.name,
          action: 'approve device',
          subject,
          detail: text,
          address,
        });
        await addEvent(trx, { device: now.id, kind: 'approved', text: `${caller.name} let it in: ${text}` });
        await announce(trx, 'devices', now.id);
        await announce(trx, 'enrolment', id);
        return now;
      });
      return showDevice(db, approved.id);
    },
  };
}

interface Approved {
  readonly device: Device;
  /** Why it was in question, in words. */
  readonly text: string;
}

async function approve(trx: Transaction<Schema>, device: Device): Promise<Approved> {
  if (device.membership === 'active' && device.conflict) {
    await trx.updateTable('devices').set({ conflict: false }).where('id', '=', device.id).execute();
    return { device, text: 'there is one board with its key again' };
  }
  if (device.membership !== 'waiting') {
    throw new ApiError('conflict', `${device.name} does not wait for anybody: it is ${device.membership}`);
  }
  const former = await formerSelfOf(trx, device);
  if (former !== undefined) return takePlace(trx, former, device);
  await trx.updateTable('devices').set({ membership: 'active' }).where('id', '=', device.id).execute();
  return { device, text: 'it waited for approval' };
}

async function formerSelfOf(trx: Transaction<Schema>, { id, serial }: Device): Promise<Device | undefined> {
  if (serial === null) return undefined;
  return trx
    .selectFrom('devices')
    .selectAll()
    .where('serial', '=', serial)
    .where('id', '<>', id)
    .where('membership', '<>', 'revoked')
    .orderBy('membership')
    .orderBy('enrolled_at', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
}

/** The record of the newcomer goes, so that its key is free; what happened to it becomes history of the one device. */
async function takePlace(trx: Transaction<Schema>, former: Device, newcomer: Device): Promise<Approved> {
  await trx
    .updateTable('device_events')
    .set({ device_id: former.id })
    .where('device_id', '=', newcomer.id)
    .execute();
  await trx.deleteFrom('devices').where('id', '=', newcomer.id).execute();
  const device = await trx
    .updateTable('devices')
    .set((eb) => ({
      public_key: newcomer.public_key,
      evidence: JSON.stringify(newcomer.evidence),
      token_id: newcomer.token_id,
      role: former.role ?? newcomer.role,
      membership: 'active',
      conflict: false,
      epoch: eb('epoch', '+', 1),
    }))
    .where('id', '=', former.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await announce(trx, 'devices', newcomer.id);
  return { device, text: 'its board came back with a new card, and the key of the old one counts no more' };
}
