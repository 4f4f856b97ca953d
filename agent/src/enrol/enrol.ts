import { FleetError, PROTOCOL_VERSION, type Problem } from '@metrica-fleet/protocol';
import {
  EnrolReplySchema,
  ROUTES,
  type EnrolReply,
  type EnrolRequest,
  type Evidence,
} from '@metrica-fleet/protocol/api';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { ask } from '../checkin/ask.ts';
import { readDeviceFile, type DeviceFile } from '../checkin/identity.ts';
import { raiseClock } from '../checkin/raise-clock.ts';
import type { Paths } from '../paths.ts';
import type { Label, Ports } from '../ports/ports.ts';
import { configAfterJoining } from './config-file.ts';
import { collectEvidence } from './evidence.ts';
import { readInvitation, type Invitation } from './invitation.ts';

export interface EnrolContext {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'exec' | 'http' | 'log'>;
  readonly paths: Paths;
}

/** What came of one try. A device that is `waiting` asks again until an operator has approved it. */
export type EnrolOutcome =
  | { readonly kind: 'not-invited' }
  | { readonly kind: 'waiting' | 'joined'; readonly overlord: string; readonly device: string };

/**
 * One try to join the fleet that `enroll.json` invites to. The key is on the card before it is shown, so that whatever
 * is lost on the way, the next try is the same device. The invitation goes last.
 * Throws `enrolment-refused`, `config-invalid`, and what the network throws; all may be tried again.
 */
export async function enrol(context: EnrolContext): Promise<EnrolOutcome> {
  const { ports, paths } = context;
  const invitation = await readInvitation(ports.disk, paths.invitation);
  if (invitation === null) return { kind: 'not-invited' };
  await raiseClock(ports, invitation.issued_at);
  const evidence = await collectEvidence(ports);
  const former = await setCopiedIdentityAside(context, evidence);
  const reply = await introduce(context, invitation, evidence);
  const outcome = { overlord: invitation.url, device: reply.name };
  if (reply.state === 'waiting') return { kind: 'waiting', ...outcome };
  await settleIn(context, { invitation, evidence, reply, former });
  return { kind: 'joined', ...outcome };
}

/** The identity of another board: this card is a copy. The board gets an identity of its own. */
async function setCopiedIdentityAside(
  { ports, paths }: EnrolContext,
  { serial }: Evidence,
): Promise<DeviceFile | null> {
  const former = await readDeviceFile(ports.disk, paths);
  if (former === null || former.serial === null || former.serial === serial) return former;
  const aside = `${paths.identity.dir}-of-${former.name}`;
  await ports.disk.remove('enrol.make-room', aside);
  await ports.disk.rename('enrol.set-aside', paths.identity.dir, aside);
  ports.log.warning('This card was copied from another board; this one enrols as a new device', {
    from: former.name,
  });
  return former;
}

async function introduce(
  context: EnrolContext,
  invitation: Invitation,
  evidence: Evidence,
): Promise<EnrolReply> {
  const { ports } = context;
  const { url, token, name } = invitation;
  const body: EnrolRequest = {
    version: PROTOCOL_VERSION,
    token,
    publicKey: await publicKey(context),
    ...(name === undefined ? {} : { name }),
    bootId: ports.clock.now().boot,
    evidence,
  };
  const remote = { url, ca: invitation.ca ?? null };
  const answer = await ask(ports.http, remote, { route: ROUTES.enrol, body, reply: EnrolReplySchema });
  if (answer.kind === 'answer') return answer.value;
  const { problem } = answer;
  throw new FleetError(problem.code === 'source-unreachable' ? problem : refusedAs(problem));
}

function refusedAs(problem: Problem): Problem {
  return { remedy: 'Make a new token on the page Enrol.', ...problem, code: 'enrolment-refused' };
}

/** The public half of the device's key, base64url of its raw bytes. The key is made on first use and never leaves. */
async function publicKey({ ports, paths }: EnrolContext): Promise<string> {
  const pem = await ports.disk.readText(paths.identity.key);
  const key = pem === null ? generateKeyPairSync('ed25519').privateKey : createPrivateKey(pem);
  if (pem === null) {
    const content = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    await ports.disk.makeFolder('enrol.folder', paths.identity.dir, 0o700);
    await keep(ports, { label: 'enrol.key', path: paths.identity.key, content, mode: 0o600 });
  }
  return createPublicKey(key).export({ format: 'jwk' }).x ?? '';
}

interface Arrival {
  readonly invitation: Invitation;
  readonly evidence: Evidence;
  readonly reply: EnrolReply;
  readonly former: DeviceFile | null;
}

/** Writes down where the device belongs now; its configuration comes after what it refers to. */
async function settleIn(context: EnrolContext, arrival: Arrival): Promise<void> {
  const { ports, paths } = context;
  const { disk } = ports;
  const { invitation, evidence, reply, former } = arrival;
  const { url, ca } = invitation;
  const config = configAfterJoining(await disk.readText(paths.config), paths.config, {
    url,
    ca: ca === undefined ? null : paths.identity.ca,
    allowedSigners: paths.identity.signers,
    device: reply.name,
    role: reply.role,
    former: former?.overlord ?? null,
  });
  if (ca !== undefined) await disk.replace('enrol.ca', paths.identity.ca, ca);
  await disk.replace('enrol.signers', paths.identity.signers, reply.signers);
  const device: DeviceFile = {
    schemaVersion: 1,
    device: reply.device,
    name: reply.name,
    overlord: url,
    enrolledAt: ports.clock.now().wall,
    serial: evidence.serial,
  };
  await disk.replace('enrol.device', paths.identity.device, `${JSON.stringify(device)}\n`);
  if (config !== null) await disk.replace('enrol.config', paths.config, config);
  for (const stale of [paths.run.token, paths.run.contact]) await disk.remove('enrol.forget', stale);
  await disk.remove('enrol.invitation', paths.invitation);
  await disk.write('enrol.wake', paths.run.wake, { content: '' });
}

interface Secret {
  readonly label: Label;
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** As Disk.replace, for what only root may read: never, not even for a moment, readable by others. */
async function keep({ disk }: Pick<Ports, 'disk'>, { label, path, content, mode }: Secret): Promise<void> {
  const temporary = `${path}.new`;
  await disk.remove(label, temporary);
  await disk.write(label, temporary, { content, mode });
  await disk.sync(label, temporary);
  await disk.rename(label, temporary, path);
}
