import { PROTOCOL_VERSION, problemOf, type Status } from '@metrica-fleet/protocol';
import {
  CheckInReplySchema,
  ROUTES,
  type CheckIn,
  type CheckInReply,
  type Order,
} from '@metrica-fleet/protocol/api';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports/ports.ts';
import { forgetReports, nextReports } from '../report/outbox.ts';
import { ask, type Remote } from './ask.ts';
import { readContact, statusDigest, writeContact, type Contact } from './contact.ts';
import type { Identity } from './identity.ts';
import { receiveOrders } from './ledger.ts';
import { keepTime } from './time-floor.ts';
import { keepToken, withToken } from './token.ts';

/** A device and its overlord, ready to talk. */
export interface Line {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'http' | 'log'>;
  readonly paths: Paths;
  readonly remote: Remote;
  readonly identity: Identity;
}

export interface Telling {
  /** Position of the desired state that the device has; null for none from this overlord. */
  readonly position: string | null;
  /** As the last run left it; null where none has ended since the boot. */
  readonly status: Status | null;
}

/** What came of a check-in, beyond what is kept on the disk by it. */
export interface Told {
  readonly reply: CheckInReply;
  /** Orders came that are to be carried out. */
  readonly orders: boolean;
}

/**
 * One request: status and reports up; desired state, orders and token down. What the reply acknowledges is forgotten,
 * what it brings is on the card before this returns. Throws where there is no answer, having remembered why.
 */
export async function checkIn(line: Line, telling: Telling): Promise<Told> {
  const { ports, paths } = line;
  const contact = await readContact(ports.disk, paths.run.contact);
  try {
    return await exchange(line, contact, telling);
  } catch (thrown) {
    const problem = problemOf(thrown);
    const why = problem.what.slice(0, 500);
    // Once for each reason: a line a run would be written to the card for as long as it lasts.
    if (contact.silence?.why !== why) ports.log.warning('The overlord was asked in vain', { problem });
    await writeContact(ports.disk, paths.run.contact, { ...contact, silence: { why } });
    throw thrown;
  }
}

async function exchange(line: Line, contact: Contact, { position, status }: Telling): Promise<Told> {
  const { ports, paths, remote, identity } = line;
  const { disk, clock } = ports;
  const digest = status === null ? null : statusDigest(status);
  const reports = await nextReports(disk, paths.outbox);
  const body: CheckIn = {
    version: PROTOCOL_VERSION,
    bootId: clock.now().boot,
    position,
    status: digest === contact.status ? null : status,
    reports: [...reports],
  };
  const credentials = { http: ports.http, disk, remote, identity, file: paths.run.token };
  const reply = await withToken(credentials, (token) =>
    ask(ports.http, remote, { route: ROUTES.checkIn, body, reply: CheckInReplySchema, token }),
  );
  const { orders = [], acknowledged = [], token, statusWanted } = reply;
  const sent = new Set(reports.map(({ id }) => id));
  await forgetReports(
    disk,
    paths.outbox,
    acknowledged.filter((id) => sent.has(id)),
  );
  if (token !== undefined) await keepToken(credentials, token);
  const news = await keep(line, orders, reply.time);
  await writeContact(disk, paths.run.contact, {
    schemaVersion: 1,
    status: statusWanted === true ? null : (digest ?? contact.status),
    answered: clock.now().uptime,
    silence: null,
  });
  return { reply, orders: news };
}

/** What must be on the card. On one that takes no more, an order that cannot be remembered is not carried out. */
async function keep(line: Line, orders: readonly Order[], time: string): Promise<boolean> {
  const { disk, clock, log } = line.ports;
  try {
    await keepTime(line, time);
    return await receiveOrders(disk, line.paths.orders, { orders, boot: clock.now().boot });
  } catch (thrown) {
    log.warning('What the overlord says could not be written down', { problem: problemOf(thrown) });
    return false;
  }
}
