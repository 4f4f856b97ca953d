import { REPORTS_LIMIT, type Report } from '@metrica-fleet/protocol/api';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { remember } from '../../src/act/remember.ts';
import { decide } from '../../src/decide/decide.ts';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import type { Disk } from '../../src/ports/disk.ts';
import {
  addReport,
  attachLog,
  forgetReports,
  nextReports,
  OUTBOX_LIMITS,
  reportId,
} from '../../src/report/outbox.ts';
import { RUNNING_A } from '../decide/story.ts';
import { bench, type Bench } from '../sources/bench.ts';

let on: Bench;
let disk: Disk;
let outbox: string;
beforeEach(() => {
  on = bench();
  ({ disk } = on.context.ports);
  ({ outbox } = on.context.paths);
});
afterEach(() => on.clear());

let count = 0;
function report(kind: Report['kind'], over: Partial<Report> = {}): Report {
  count += 1;
  return { id: reportId('test', String(count)), at: '2026-01-01T00:00:00Z', kind, ...over };
}
const add = (one: Report): Promise<void> => addReport(disk, outbox, one);
const kinds = async (): Promise<string[]> => (await nextReports(disk, outbox)).map(({ kind }) => kind);
const bytes = (): number =>
  readdirSync(outbox).reduce((sum, name) => sum + statSync(join(outbox, name)).size, 0);

describe('the outbox', () => {
  it('keeps reports in the order in which they came, until each is acknowledged', async () => {
    const [first, second] = [report('staging'), report('updated')];
    await add(first);
    await add(second);
    expect(await nextReports(disk, outbox)).toEqual([first, second]);
    await forgetReports(disk, outbox, [first.id, reportId('of', 'somebody else')]);
    expect(await nextReports(disk, outbox)).toEqual([second]);
  });

  it('has each report once', async () => {
    const one = report('updated');
    await add(one);
    await add({ ...one, at: '2026-01-02T00:00:00Z' });
    expect(await nextReports(disk, outbox)).toEqual([one]);
  });

  it('gives as many as one check-in takes, the oldest first', async () => {
    for (let n = 0; n < REPORTS_LIMIT + 5; n += 1) await add(report(n === 0 ? 'failed' : 'repaired'));
    const next = await kinds();
    expect(next).toHaveLength(REPORTS_LIMIT);
    expect(next[0]).toBe('failed');
  });

  it('gives less where the reports are large, and never nothing', async () => {
    const log = 'x'.repeat(32_000);
    for (let n = 0; n < 40; n += 1) await add(report('failed', { log }));
    const next = await kinds();
    expect(next.length).toBeGreaterThan(1);
    expect(next.length * log.length).toBeLessThan(2 * 1024 * 1024 * 0.75);
  });

  it('drops the oldest of the least value when it is full, and no result of an update', async () => {
    await add(report('updated'));
    await add(report('order'));
    for (let n = 2; n < OUTBOX_LIMITS.reports; n += 1) {
      const one = report('repaired', { detail: String(n) });
      const name = `${String(n + 1).padStart(10, '0')}-repaired-${one.id}.json`;
      writeFileSync(join(outbox, name), JSON.stringify(one));
    }
    for (let n = 0; n < 20; n += 1) await add(report('repaired', { detail: 'later' }));
    expect(readdirSync(outbox)).toHaveLength(OUTBOX_LIMITS.reports);
    expect(await kinds()).toEqual(expect.arrayContaining(['updated', 'order']));
    const [, , oldest] = await nextReports(disk, outbox);
    expect(Number(oldest?.detail)).toBe(22);
  });

  it('drops the logs of results when nothing else is left to drop', async () => {
    for (let n = 0; n < 80; n += 1) await add(report('failed', { log: 'x'.repeat(32_000) }));
    expect(readdirSync(outbox)).toHaveLength(80);
    expect(bytes()).toBeLessThanOrEqual(OUTBOX_LIMITS.bytes);
  });

  it('passes over what cannot be read', async () => {
    await add(report('staging'));
    const [name = ''] = readdirSync(outbox);
    writeFileSync(join(outbox, name), '{"id":');
    await add(report('updated'));
    expect(await kinds()).toEqual(['updated']);
    expect(readdirSync(outbox)).toHaveLength(1);
  });

  it('takes the log of the run to a report that still waits', async () => {
    const one = report('failed');
    await add(one);
    await attachLog(disk, outbox, { id: one.id, log: 'what happened' });
    expect(await nextReports(disk, outbox)).toEqual([{ ...one, log: 'what happened' }]);
    await forgetReports(disk, outbox, [one.id]);
    await attachLog(disk, outbox, { id: one.id, log: 'too late' });
    expect(await nextReports(disk, outbox)).toEqual([]);
  });
});

describe('a step', () => {
  const wanted = {
    schemaVersion: 1,
    role: 'web',
    commit: 'c'.repeat(40),
    digest: null,
    source: 'overlord',
    position: 'p',
    tree: 't',
    layers: [],
  } as const;
  const overlord = { kind: 'overlord', url: 'https://overlord.example.org', ca: null } as const;
  const contextOf = (sources: Context['config']['sources']): Context =>
    ({ ...on.context, config: on.config({ sources }) }) as unknown as Context;
  const remembered = async (sources: Context['config']['sources']): Promise<string | null> => {
    const now = on.context.ports.clock.now();
    const step = decide(EMPTY_JOURNAL, { type: 'observed', seen: { desired: wanted, faults: null } }, now);
    return await remember(contextOf(sources), EMPTY_JOURNAL, step);
  };

  it('is reported to an overlord as the same report, also when it is repeated after a crash', async () => {
    const id = await remembered([overlord]);
    expect(await remembered([overlord])).toBe(id);
    expect(await nextReports(disk, outbox)).toMatchObject([
      { id, kind: 'staging', role: 'web', commit: wanted.commit },
    ]);
  });

  it('that comes again, when the former one is forgotten, is another report', async () => {
    const context = contextOf([overlord]);
    const now = on.context.ports.clock.now();
    let journal: Journal = RUNNING_A;
    for (const boot of ['one', 'two', 'three']) {
      const seen = { desired: null, faults: [] };
      for (const event of [
        { type: 'observed', seen },
        { type: 'repaired', detail: 'web stopped: started' },
      ] as const) {
        const step = decide(journal, event, { ...now, boot });
        await remember(context, journal, step);
        ({ journal } = step);
      }
    }
    const waiting = await nextReports(disk, outbox);
    expect(waiting.map(({ kind }) => kind)).toEqual(['repaired', 'repaired', 'repaired']);
  });

  it('is kept for nobody where there is no overlord', async () => {
    expect(await remembered([{ kind: 'directory', path: '/media/usb' }])).toBeNull();
    expect(await nextReports(disk, outbox)).toEqual([]);
  });
});
