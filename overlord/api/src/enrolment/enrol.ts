import type { EnrolReply, EnrolRequest } from '@metrica-fleet/protocol/api';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import { recordAudit } from '../audit/record-audit.ts';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import { addEvent } from '../devices/add-event.ts';
import { hashToken } from '../operators/secret-token.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import { freeName } from './free-name.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  /** Content of `allowed_signers` for the device. */
  readonly signers: string;
}

type Device = Selectable<Schema['devices']>;
type Token = Selectable<Schema['enrolment_tokens']>;

/**
 * A new device joins. The same key again gets the same answer and uses nothing up, so that a lost answer costs nothing.
 * A known board with a new key (a re-flashed card) waits for a person; a known key on another board (a copied card) is
 * a conflict that both show.
 */
export function enrolRoutes({ db, signers }: Ports): HandlersOf<'enrol'> {
  return {
    enrol: async ({ body, address }) => {
      const { device, conflict } = await db.transaction().execute((trx) => admit(trx, body, address));
      if (conflict) {
        throw new ApiError(
          'conflict',
          `The key of ${device.name} is used by another board: this is a copied card`,
          {
            field: '/publicKey',
            remedy: 'Remove /var/lib/role-agent/identity on the copy and enrol it again.',
          },
        );
      }
      return replyTo(device, signers);
    },
  };
}

/** The outcome of a request; a conflict is recorded, which a thrown error would undo. */
interface Admitted {
  readonly device: Device;
  readonly conflict: boolean;
}

async function admit(trx: Transaction<Schema>, request: EnrolRequest, address: string): Promise<Admitted> {
  const known = await trx
    .selectFrom('devices')
    .selectAll()
    .where('public_key', '=', request.publicKey)
    .forUpdate()
    .executeTakeFirst();
  if (known !== undefined) return again(trx, known, request);
  const token = await useToken(trx, request.token);
  const device = await insert(trx, request, token);
  const { name, membership } = device;
  const how = membership === 'waiting' ? 'waits for approval' : 'joined the fleet';
  await addEvent(trx, {
    device: device.id,
    kind: 'enrolled',
    text: `It ${how}, by the token «${token.name}»`,
  });
  await recordAudit(trx, {
    actor: token.created_by,
    action: 'enrol device',
    subject: `device:${name}`,
    detail: `by the token «${token.name}»`,
    address,
  });
  await announce(trx, 'devices', device.id);
  await announce(trx, 'enrolment', device.id);
  return { device, conflict: false };
}

/** The key is known: the same board asks again, or another one has a copy. */
async function again(trx: Transaction<Schema>, known: Device, { evidence }: EnrolRequest): Promise<Admitted> {
  const copied = known.serial !== null && evidence.serial !== null && known.serial !== evidence.serial;
  if (!copied) return { device: known, conflict: false };
  await trx.updateTable('devices').set({ conflict: true }).where('id', '=', known.id).execute();
  const text = `Another board (serial ${evidence.serial}) shows its key: its card was copied`;
  await addEvent(trx, { device: known.id, kind: 'changed', text });
  await announce(trx, 'devices', known.id);
  return { device: known, conflict: true };
}

/** Takes one use: of many devices at once, as many get in as the token has uses. */
async function useToken(trx: Transaction<Schema>, text: string): Promise<Token> {
  const used = await trx
    .updateTable('enrolment_tokens')
    .set((eb) => ({ uses_left: eb('uses_left', '-', 1) }))
    .where('token_hash', '=', hashToken(text))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', new Date())
    .where('uses_left', '>', 0)
    .returningAll()
    .executeTakeFirst();
  if (used !== undefined) return used;
  const found = await trx
    .selectFrom('enrolment_tokens')
    .select(['expires_at', 'revoked_at'])
    .where('token_hash', '=', hashToken(text))
    .executeTakeFirst();
  const remedy = 'Make a new one: the page Enrol, or `fleet enrol token create`.';
  const where = { field: '/token', remedy };
  if (found === undefined) throw new ApiError('unauthenticated', 'There is no such enrolment token', where);
  if (found.revoked_at !== null)
    throw new ApiError('unauthenticated', 'The enrolment token was revoked', where);
  if (found.expires_at <= new Date())
    throw new ApiError('unauthenticated', 'The enrolment token is over', where);
  throw new ApiError('token-used', 'The enrolment token has been used as often as it may be', where);
}

async function insert(trx: Transaction<Schema>, request: EnrolRequest, token: Token): Promise<Device> {
  const { evidence } = request;
  const reflashed = await boardIsKnown(trx, evidence.serial);
  return trx
    .insertInto('devices')
    .values({
      id: randomUUID(),
      name: await freeName(trx, request.name ?? nameFrom(evidence.serial)),
      public_key: request.publicKey,
      membership: token.auto_approve && !reflashed ? 'active' : 'waiting',
      role: token.role,
      site: token.site,
      segment: token.segment,
      evidence: JSON.stringify(evidence),
      serial: evidence.serial,
      token_id: token.id,
      enrolled_by: token.created_by,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** A board that is in the fleet already comes with a new key: re-flashed by its owner, or somebody pretends to be it. */
async function boardIsKnown(trx: Transaction<Schema>, serial: string | null): Promise<boolean> {
  if (serial === null) return false;
  const row = await trx
    .selectFrom('devices')
    .select('id')
    .where('serial', '=', serial)
    .where('membership', '<>', 'revoked')
    .executeTakeFirst();
  return row !== undefined;
}

function nameFrom(serial: string | null): string {
  const tail = (serial ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(-6);
  return tail === '' ? 'pi' : `pi-${tail}`;
}

function replyTo(device: Device, signers: string): EnrolReply {
  if (device.membership === 'revoked') throw new ApiError('device-revoked', 'This device has been revoked');
  const { id, name, membership, role, segment } = device;
  return { device: id, name, state: membership, role, segment, signers };
}
