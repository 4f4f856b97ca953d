import type { Status } from '@metrica-fleet/protocol';
import type { Report } from '@metrica-fleet/protocol/api';
import { existsSync, lstatSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/decide/journal.ts';
import { addReport, nextReports, reportId } from '../../src/report/outbox.ts';
import { tell } from '../../src/report/tell.ts';
import { readSilences } from '../../src/sources/silence.ts';
import { Rounds, Told, wish } from './rounds.ts';

/** An overlord that is told how runs end. */
class Listening extends Told {
  told = 0;

  tell(): Promise<void> {
    this.told += 1;
    return this.desired().then(() => undefined);
  }
}

const DAY = 86_400;
const OVERLORD = {
  sources: [{ kind: 'overlord', url: 'https://fleet.example.org', ca: null }],
  allowedSigners: '/signers',
} as const;

let overlord: Listening;
let device: Rounds;
beforeEach(async () => {
  overlord = new Listening('overlord');
  device = new Rounds([overlord], OVERLORD);
  overlord.says = wish('a', { counter: 5 });
  await device.settles(5);
  overlord.says = null;
});
afterEach(() => device.on.clear());

const reports = (): Promise<readonly Report[]> =>
  nextReports(device.on.context.ports.disk, device.on.context.paths.outbox);
const again = async (): Promise<number> => {
  const { disk } = device.on.context.ports;
  const silence = (await readSilences(disk, device.on.context.paths.run.silences))['overlord'];
  return (silence?.again ?? Infinity) - device.now.uptime;
};

/** Runs whenever one is due, as the gate lets them through: with the role's interval, and when a source is asked again. */
async function runsFor(seconds: number): Promise<void> {
  const end = device.now.uptime + seconds;
  while (device.now.uptime < end) {
    const { askAgain } = await device.observe();
    const due = Math.min(device.now.uptime + (device.journal.current?.interval ?? 300), askAgain ?? Infinity);
    device.passes(Math.max(60, Math.ceil(due - device.now.uptime)));
  }
}

describe('a source that does not answer', () => {
  it('is asked again after about a minute, then less and less often, up to the interval of the role', async () => {
    const pauses: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      await device.observe();
      pauses.push(await again());
      device.passes(Math.ceil(await again()));
    }
    [45, 90, 180, 300, 300, 300].forEach((least, n) => {
      expect(pauses[n]).toBeGreaterThanOrEqual(least);
      expect(pauses[n]).toBeLessThanOrEqual(least * 1.25 + 1);
    });
  });

  it('is not asked by a run that is due for another reason; one that somebody waits for asks it', async () => {
    await device.observe();
    const { asked } = overlord;
    device.passes(10);
    const { contacts } = await device.observe();
    expect(overlord.asked).toBe(asked);
    expect(contacts[0]).toMatchObject({ answered: false, problem: { code: 'source-unreachable' } });
    await device.observe(true);
    expect(overlord.asked).toBe(asked + 1);
  });

  it('for a day is asked every hour at most, and no later than an eighth of the outage after its end', async () => {
    await runsFor(DAY);
    const { asked } = overlord;
    await runsFor(DAY);
    expect(overlord.asked - asked).toBeLessThanOrEqual(24);
    expect(overlord.asked - asked).toBeGreaterThanOrEqual(19);
  });

  it('that refuses is not asked sooner than the role has it', async () => {
    const { FleetError } = await import('@metrica-fleet/protocol');
    overlord.desired = () => Promise.reject(new FleetError({ code: 'source-denied', what: 'revoked' }));
    expect((await device.observe()).askAgain).toBeNull();
  });
});

describe('an outage', () => {
  it('of one question is a hiccup, and nothing is said of it', async () => {
    await device.observe(true);
    overlord.says = wish('a', { counter: 5 });
    device.passes(300);
    await device.observe(true);
    expect(await reports()).toEqual([]);
    expect(existsSync(device.on.context.paths.outages)).toBe(false);
  });

  it('of a month writes to the card when it begins and when it ends, and is reported once, measured', async () => {
    const { outages, desired } = device.on.context.paths;
    await runsFor(600);
    device.journal = {
      ...device.journal,
      current: { key: device.journal.current?.key, interval: 3_600 } as Journal['current'],
    };
    const [written, wanted] = [lstatSync(outages), lstatSync(desired)];
    await runsFor(30 * DAY);
    expect(lstatSync(outages)).toMatchObject({ ino: written.ino, mtimeMs: written.mtimeMs });
    expect(lstatSync(desired)).toMatchObject({ ino: wanted.ino, mtimeMs: wanted.mtimeMs });
    overlord.says = wish('z', { counter: 900 });
    device.passes(3_600);
    expect(await device.follows()).toBe('z');
    await runsFor(DAY);
    expect((await reports()).map(({ kind, detail }) => [kind, detail])).toEqual([
      [
        'outage',
        expect.stringMatching(
          /^overlord did not answer from 2026-03-01T00:00:00Z until 2026-03-31T.*: 30 d \d+ h, measured; asked \d+ times/,
        ),
      ],
    ]);
    expect(existsSync(outages)).toBe(false);
  });

  it('is told after what waited before, which comes first', async () => {
    const { ports, paths } = device.on.context;
    await runsFor(600);
    const updated = { id: reportId('test', '1'), at: device.now.wall, kind: 'updated' } as const;
    await addReport(ports.disk, paths.outbox, updated);
    overlord.says = wish('a', { counter: 5 });
    device.passes(600);
    await device.observe();
    expect((await reports()).map(({ kind }) => kind)).toEqual(['updated', 'outage']);
  });

  it('that lasts over reboots says which part of it was measured, and writes once a boot', async () => {
    await runsFor(600);
    device.reboots('second');
    await device.observe();
    const { mtimeMs } = lstatSync(device.on.context.paths.outages);
    await runsFor(3_600);
    expect(lstatSync(device.on.context.paths.outages).mtimeMs).toBe(mtimeMs);
    device.reboots('third');
    overlord.says = wish('a', { counter: 5 });
    await device.observe();
    expect((await reports())[0]?.detail).toMatch(
      /from 2026-03-01T00:00:00Z until 2026-03-01T01:\d\d:\d\dZ by the clock; 2 restarts in between, the last 20 s measured$/,
    );
  });

  it('that began while the clock was wrong is told by what was measured', async () => {
    device.now = { ...device.now, wall: '1970-01-01T00:00:30Z' };
    await runsFor(600);
    device.now = { ...device.now, wall: '2026-05-01T12:00:00Z' };
    overlord.says = wish('a', { counter: 5 });
    await device.observe(true);
    expect((await reports())[0]?.detail).toMatch(
      /from 2026-05-01T11:.* until 2026-05-01T12:00:00Z: \d+ min, measured/,
    );
  });

  it('of a device that has no overlord is a line in its log alone', async () => {
    const git = new Told('git');
    const alone = new Rounds([git]);
    try {
      for (const says of [wish('a'), null, null, wish('a')]) {
        git.says = says;
        await alone.observe(true);
        alone.passes(400);
      }
      expect(existsSync(alone.on.context.paths.outbox)).toBe(false);
    } finally {
      alone.on.clear();
    }
  });
});

describe('the end of a run that could not be told', () => {
  const ended = async (): Promise<Parameters<typeof tell>[1]> => {
    const { desired, withdrawn: _, ...asked } = await device.observe(true);
    const world = { seen: { desired, faults: [] }, ...asked, look: { stack: null, problem: null } };
    return { status: {} as Status, world, journal: device.journal };
  };
  const due = async (): Promise<number> =>
    Number(await device.on.context.ports.disk.readText(device.on.context.paths.run.nextDue)) -
    device.now.uptime;

  it('is told again after about a minute, though the interval is long', async () => {
    const { ports, paths } = device.on.context;
    overlord.says = wish('a', { counter: 5 });
    const end = await ended();
    overlord.says = null;
    await ports.disk.write('test.due', paths.run.nextDue, { content: `${device.now.uptime + 3_600}\n` });
    await tell(device.context, end);
    expect(await due()).toBeGreaterThanOrEqual(45);
    expect(await due()).toBeLessThanOrEqual(58);
    device.passes(60);
    overlord.says = wish('a', { counter: 5 });
    await tell(device.context, await ended());
    expect(await readSilences(ports.disk, paths.run.silences)).toEqual({});
  });

  it('is not told to one that has just been asked in vain', async () => {
    await tell(device.context, await ended());
    expect(overlord.told).toBe(0);
  });

  it('is told less and less often to an overlord that another source leads before', async () => {
    const git = new Told('git');
    const both = new Rounds([git, overlord], OVERLORD);
    git.says = wish('a', { counter: 5 });
    const { disk } = both.on.context.ports;
    const nextDue = both.on.context.paths.run.nextDue;
    for (let n = 0; n < 60; n += 1) {
      await disk.write('test.due', nextDue, { content: `${both.now.uptime + 300}\n` });
      const { desired, withdrawn: _, ...asked } = await both.observe();
      const world = {
        seen: { desired, faults: [] },
        ...asked,
        look: { stack: null, problem: null },
      };
      await tell(both.context, { status: {} as Status, world, journal: both.journal });
      both.passes(60);
    }
    both.on.clear();
    expect(overlord.told).toBeLessThan(20);
    expect(overlord.told).toBeGreaterThan(10);
  });
});
