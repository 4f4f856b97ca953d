import type { EnrolReply, EnrolRequest } from '@metrica-fleet/protocol/api';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { addEvent } from '../devices/add-event.ts';
import { markCopied } from '../devices/copied-cards.ts';
import { revoked } from '../devices/identify.ts';
import { jsonText } from '../devices/json-text.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import { freeName, oneAtATime } from './free-name.ts';
import { refuseUnknownToken, useToken, type Token } from './use-token.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  /** Content of `allowed_signers` for the device. */
  readonly signers: string;
}

type Device = Selectable<Schema['devices']>;

/**
 * A new device joins. The same key again gets the same answer and uses nothing up, so that a lost answer costs nothing.
 * A known board with a new key (a re-flashed card) waits for a person; a known key on another board (a copied card) is
 * a conflict that people are shown.
 */
export function enrolRoutes({ db, signers }: Ports): HandlersOf<'enrol'> {
  return {
    enrol: async ({ body, address }) => {
      const { device, copied } = await db.transaction().execute((trx) => admit(trx, body, address));
      if (copied) {
        const what = `The key of ${device.name} is used by another board: this is a copied card`;
        throw new ApiError('conflict', what, {
          field: '/publicKey',
          remedy: 'Remove /var/lib/role-agent/identity on the copy and enrol it again.',
        });
      }
      return replyTo(device, signers);
    },
  };
}

/** The outcome of a request; that a card was copied is recorded, which a thrown error would undo. */
interface Admitted {
  readonly device: Device;
  readonly copied: boolean;
}

async function admit(trx: Transaction<Schema>, request: EnrolRequest, address: string): Promise<Admitted> {
  const known = await findByKey(trx, request.publicKey);
  if (known !== undefined) return again(trx, known, request);
  await oneAtATime(trx);
  // The same request may have been a little faster, or its board has just been approved under its former name.
  const meanwhile = await findByKey(trx, request.publicKey);
  if (meanwhile !== undefined) return again(trx, meanwhile, request);
  const token = await useToken(trx, request.token);
  return { device: await join(trx, { request, token, address }), copied: false };
}

async function findByKey(trx: Transaction<Schema>, publicKey: string): Promise<Device | undefined> {
  return trx.selectFrom('devices').selectAll().where('public_key', '=', publicKey).executeTakeFirst();
}

/** The key is known: the same board asks again, or another one has a copy. */
async function again(trx: Transaction<Schema>, known: Device, request: EnrolRequest): Promise<Admitted> {
  await refuseUnknownToken(trx, request.token);
  const { serial } = request.evidence;
  const copied = known.serial !== null && serial !== null && known.serial !== serial;
  if (copied) {
    await markCopied(trx, known.id, `Another board (serial ${serial}) shows its key: its card was copied`);
  }
  return { device: known, copied };
}

interface Joining {
  readonly request: EnrolRequest;
  readonly token: Token;
  readonly address: string;
}

async function join(trx: Transaction<Schema>, { request, token, address }: Joining): Promise<Device> {
  const { evidence, publicKey } = request;
  const former = await nameOfBoard(trx, evidence.serial);
  const waits = former !== null || !token.auto_approve;
  const device = await trx
    .insertInto('devices')
    .values({
      id: randomUUID(),
      name: await freeName(trx, request.name ?? nameFrom(evidence.serial)),
      public_key: publicKey,
      membership: waits ? 'waiting' : 'active',
      role: token.role,
      site: token.site,
      segment: token.segment,
      evidence: jsonText(evidence),
      serial: evidence.serial,
      token_id: token.id,
      enrolled_by: token.created_by,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const how = former === null ? '' : `, because its board is known as ${former}`;
  const text = `It ${waits ? `waits for approval${how}` : 'joined the fleet'}, by the token «${token.name}»`;
  await addEvent(trx, { device: device.id, kind: 'enrolled', text });
  await recordAudit(trx, {
    actor: token.created_by,
    action: 'enrol device',
    subject: `device:${device.name}`,
    detail: text,
    address,
  });
  await announce(trx, 'devices', device.id);
  await announce(trx, 'enrolment', device.id);
  return device;
}

/**
 * Of a board that comes with a new key: re-flashed by its owner, or somebody pretends to be it. One that was revoked
 * does not slip in again either by a token that is left on its card.
 */
async function nameOfBoard(trx: Transaction<Schema>, serial: string | null): Promise<string | null> {
  if (serial === null) return null;
  const row = await trx
    .selectFrom('devices')
    .select('name')
    .where('serial', '=', serial)
    .orderBy('enrolled_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.name ?? null;
}

function nameFrom(serial: string | null): string {
  const tail = (serial ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(-6);
  return tail === '' ? 'pi' : `pi-${tail}`;
}

function replyTo(device: Device, signers: string): EnrolReply {
  const { id, name, membership, role, segment } = device;
  if (membership === 'revoked') throw revoked();
  return { device: id, name, state: membership, role, segment, signers };
}
