import { digestOf, parse } from '@metrica-fleet/protocol';
import { ReportSchema, REPORTS_LIMIT, type Report } from '@metrica-fleet/protocol/api';
import { join } from 'node:path';
import type { Disk } from '../ports/disk.ts';

/**
 * How much waits for an overlord that does not answer. What makes room is the oldest of the least value; what became of
 * an update is never dropped, it only loses its log.
 */
export const OUTBOX_LIMITS = { reports: 300, bytes: 2 * 1024 * 1024 } as const;

/** Bytes of reports in one check-in, below the overlord's limit for its body. */
const BATCH = 1024 * 1024;
/** Bytes of a report without a log, about. */
const LIGHT = 8 * 1024;

/** What is dropped first. `never`: results of updates, by which rollouts are judged. */
const VALUE: Readonly<Record<Report['kind'], 'low' | 'middle' | 'never'>> = {
  staging: 'low',
  activated: 'low',
  delayed: 'low',
  repaired: 'low',
  rebuilt: 'low',
  booted: 'low',
  outage: 'middle',
  order: 'middle',
  updated: 'never',
  'safe-mode': 'never',
  failed: 'never',
  reverted: 'never',
};

/** One waiting report: its file is `<number>-<kind>-<id>.json`, so that a listing is enough to choose. */
interface Waiting {
  readonly name: string;
  readonly number: number;
  readonly kind: Report['kind'];
  readonly id: string;
}

/** An id that is the same whenever the same thing is reported: a step that is repeated after a crash makes no second report. */
export function reportId(...of: readonly string[]): string {
  return digestOf(of.join('\n')).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** Keeps a report until the overlord has acknowledged it. On the card when this returns. */
export async function addReport(disk: Disk, outbox: string, report: Report): Promise<void> {
  const waiting = await listOutbox(disk, outbox);
  if (waiting.some(({ id }) => id === report.id)) return;
  const text = `${JSON.stringify(report)}\n`;
  await makeRoom({ disk, outbox }, waiting, text.length);
  const number = String((waiting.at(-1)?.number ?? 0) + 1).padStart(10, '0');
  await disk.replace('outbox.add', join(outbox, `${number}-${report.kind}-${report.id}.json`), text);
}

/** The oldest reports, as many as one check-in takes. A file that cannot be read is removed: nobody could. */
export async function nextReports(disk: Disk, outbox: string): Promise<readonly Report[]> {
  const reports: Report[] = [];
  let bytes = 0;
  for (const { name } of await listOutbox(disk, outbox)) {
    if (reports.length === REPORTS_LIMIT) break;
    const path = join(outbox, name);
    const text = (await disk.readText(path)) ?? '';
    if (bytes + text.length > BATCH && reports.length > 0) break;
    const report = parseReport(text, path);
    if (report === null) await disk.remove('outbox.damaged', path);
    else {
      reports.push(report);
      bytes += text.length;
    }
  }
  return reports;
}

/** Forgets what the overlord has on record. */
export async function forgetReports(disk: Disk, outbox: string, ids: readonly string[]): Promise<void> {
  const gone = new Set(ids);
  for (const { name, id } of gone.size === 0 ? [] : await listOutbox(disk, outbox)) {
    if (gone.has(id)) await disk.remove('outbox.forget', join(outbox, name));
  }
}

/** Adds the log of a run to a report that is still waiting. */
export async function attachLog(
  disk: Disk,
  outbox: string,
  { id, log }: Required<Pick<Report, 'id' | 'log'>>,
): Promise<void> {
  const name = (await listOutbox(disk, outbox)).find((one) => one.id === id)?.name;
  if (name === undefined) return;
  const path = join(outbox, name);
  const report = parseReport((await disk.readText(path)) ?? '', path);
  if (report !== null) await disk.replace('outbox.log', path, `${JSON.stringify({ ...report, log })}\n`);
}

/** What waits, oldest first. */
export async function listOutbox(disk: Disk, outbox: string): Promise<readonly Waiting[]> {
  return ((await disk.list(outbox)) ?? []).flatMap((name): Waiting[] => {
    const match = /^(\d{10})-([a-z]+)-([0-9a-f-]{36})\.json$/.exec(name);
    const [, number = '', kind = '', id = ''] = match ?? [];
    return kind in VALUE ? [{ name, number: Number(number), kind: kind as Report['kind'], id }] : [];
  });
}

interface Place {
  readonly disk: Disk;
  readonly outbox: string;
}

async function makeRoom({ disk, outbox }: Place, waiting: readonly Waiting[], needed: number): Promise<void> {
  const sizes = new Map<Waiting, number>();
  for (const one of waiting) sizes.set(one, (await disk.stat(join(outbox, one.name)))?.size ?? 0);
  const tooMuch = (): boolean => {
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, needed);
    return sizes.size >= OUTBOX_LIMITS.reports || bytes > OUTBOX_LIMITS.bytes;
  };
  for (const value of ['low', 'middle'] as const) {
    for (const one of waiting.filter(({ kind }) => VALUE[kind] === value)) {
      if (!tooMuch()) return;
      await disk.remove('outbox.drop', join(outbox, one.name));
      sizes.delete(one);
    }
  }
  for (const [one, size] of sizes) {
    if (!tooMuch()) return;
    if (size > LIGHT) sizes.set(one, await dropLog(disk, join(outbox, one.name)));
  }
}

async function dropLog(disk: Disk, path: string): Promise<number> {
  const report = parseReport((await disk.readText(path)) ?? '', path);
  if (report === null) return 0;
  const { log: _log, ...light } = report;
  const text = `${JSON.stringify(light)}\n`;
  await disk.replace('outbox.lighten', path, text);
  return text.length;
}

function parseReport(text: string, where: string): Report | null {
  try {
    return parse(ReportSchema, JSON.parse(text), { where });
  } catch {
    return null;
  }
}
