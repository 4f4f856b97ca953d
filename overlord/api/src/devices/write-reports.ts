import type { Report } from '@metrica-fleet/protocol/api';
import { sql, type Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import type { Arrived } from './check-in.ts';
import { jsonText } from './json-text.ts';
import { sentenceOf } from './report-text.ts';
import type { Before } from './write-check-ins.ts';

/**
 * Puts reports on the timelines of their devices, each once, however often it is delivered; and that a device has
 * started again, which its boot id tells where no report of its own does.
 */
export async function writeReports(
  trx: Transaction<Schema>,
  arrived: readonly Arrived[],
  before: ReadonlyMap<string, Before>,
): Promise<void> {
  const events = arrived.flatMap((one) => [
    ...(hasBooted(one, before.get(one.device.id)) ? [bootOf(one)] : []),
    ...one.body.reports.map((report) => eventOf(one, report)),
  ]);
  if (events.length === 0) return;
  await sql`
    insert into device_events (device_id, report_id, at, kind, role, commit, text, problem, log)
    select * from json_to_recordset(${jsonText(events)}::json) as new (device_id uuid, report_id uuid, at timestamptz,
      kind text, role text, commit text, text text, problem jsonb, log text)
    on conflict (device_id, report_id) do nothing`.execute(trx);
}

function hasBooted({ body: { bootId, reports } }: Arrived, known: Before | undefined): boolean {
  if (known === undefined || known.bootId === null || known.bootId === bootId) return false;
  return reports.every(({ kind }) => kind !== 'booted');
}

interface Event {
  readonly device_id: string;
  readonly report_id: string | null;
  readonly at: Date;
  readonly kind: Report['kind'];
  readonly role: string | null;
  readonly commit: string | null;
  readonly text: string;
  readonly problem: Report['problem'] | null;
  readonly log: string | null;
}

function bootOf({ device, at }: Arrived): Event {
  const text = sentenceOf({ kind: 'booted' });
  return {
    device_id: device.id,
    report_id: null,
    at,
    kind: 'booted',
    role: null,
    commit: null,
    text,
    problem: null,
    log: null,
  };
}

function eventOf({ device, at }: Arrived, report: Report): Event {
  const { id, kind, role = null, commit = null, problem = null, log = null } = report;
  return {
    device_id: device.id,
    report_id: id,
    at: momentOf(report, at),
    kind,
    role,
    commit,
    text: sentenceOf(report),
    problem,
    log,
  };
}

/** When it happened, by the device's clock; when it came, where that is no time at all (a 31st of February). */
function momentOf({ at }: Report, arrived: Date): Date {
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? arrived : moment;
}
