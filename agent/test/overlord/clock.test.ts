import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { holdTime, keepTime } from '../../src/checkin/time-floor.ts';
import type { SourceContext } from '../../src/sources/sources.ts';
import { datedCertificate, makeCertificates, type Certificates } from './certificates.ts';
import { FakeOverlord } from './fake-overlord.ts';
import { joinFleet, put, type Joined } from './joined.ts';

let folder: string;
let ours: Certificates;
let overlord: FakeOverlord;
let device: Joined;
/** What the clock was set to, in order. */
let set: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-clock-'));
  ours = makeCertificates(folder, 'ours');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => starts(ours.cert));
afterEach(async () => {
  device.clear();
  await overlord.stop();
});

async function starts(cert: string): Promise<void> {
  overlord = await FakeOverlord.start({ ...ours, cert });
  device = joinFleet(overlord, ours.ca);
  set = [];
}

/** The device with a clock that says this; `date` sets it, where it may. */
function at(moment: string, settable = true): SourceContext {
  const { ports } = device.context;
  let wall = moment;
  return {
    ...device.context,
    ports: {
      ...ports,
      clock: { ...ports.clock, now: () => ({ ...ports.clock.now(), wall }), sleep: () => Promise.resolve() },
      exec: {
        run: (command) => {
          if (command.argv[0] !== 'date') return ports.exec.run(command);
          if (settable) wall = command.argv[2]?.replace('--set=', '') ?? wall;
          set.push(wall);
          return Promise.resolve({
            code: settable ? 0 : 1,
            stdout: Buffer.alloc(0),
            stderr: 'not permitted',
          });
        },
      },
    },
  };
}
const kept = (): string => readFileSync(device.context.paths.timeFloor, 'utf8').trim();

describe('a clock that fell back at a boot', () => {
  it('is raised to the moment of the enrolment, where nothing later is known', async () => {
    await holdTime(at('1970-01-01T00:00:10Z'));
    expect(set).toEqual(['2026-01-01T00:00:00Z']);
  });

  it('is raised to the latest time that the overlord has said', async () => {
    await keepTime(at('2026-09-01T00:00:00Z'), '2026-08-31T23:59:59Z');
    await holdTime(at('1970-01-01T00:00:10Z'));
    expect(set).toEqual(['2026-08-31T23:59:59Z']);
  });

  it('is left alone where it is not behind, and where what was kept is damaged', async () => {
    await holdTime(at('2026-06-01T00:00:00Z'));
    put(device.context.paths.timeFloor, 'soon\n');
    await holdTime(at('2026-06-01T00:00:00Z'));
    expect(set).toEqual([]);
  });

  it('and cannot be set stops no run', async () => {
    await expect(holdTime(at('1970-01-01T00:00:10Z', false))).resolves.toBeUndefined();
    expect(set).toHaveLength(1);
  });
});

describe('the time that is kept', () => {
  it('comes with a check-in over a verified connection, and is written once a day at most', async () => {
    await device.source().desired(null, { eager: true });
    const first = kept();
    const { ino, mtimeMs } = statSync(device.context.paths.timeFloor);
    await device.source().desired(null, { eager: true });
    expect(statSync(device.context.paths.timeFloor)).toMatchObject({ ino, mtimeMs });
    const later = (seconds: number): string =>
      `${new Date(Date.parse(first) + seconds * 1000).toISOString().slice(0, 19)}Z`;
    await keepTime(at(later(86_399)), later(86_399));
    expect(kept()).toBe(first);
    await keepTime(at(later(86_400)), later(86_400));
    expect(kept()).toBe(later(86_400));
  });

  it('is never later than either clock says, so that one wrong clock does no lasting harm', async () => {
    await keepTime(at('2026-06-01T00:00:00Z'), '2099-01-01T00:00:00Z');
    expect(kept()).toBe('2026-06-01T00:00:00Z');
    rmSync(device.context.paths.timeFloor);
    await keepTime(at('2099-01-01T00:00:00Z'), '2026-06-02T00:00:00Z');
    expect(kept()).toBe('2026-06-02T00:00:00Z');
  });

  it('does not come from an overlord that nobody vouches for', async () => {
    put(join(device.on.root, 'ca.pem'), makeCertificates(folder, 'theirs').ca);
    await expect(device.source().desired(null, { eager: true })).rejects.toThrow('pinned');
    expect(existsSync(device.context.paths.timeFloor)).toBe(false);
  });
});

describe('a certificate that the clock does not agree with', () => {
  const FUTURE = { from: '20990101000000Z', to: '20991231000000Z' };
  const PAST = { from: '20200101000000Z', to: '20210101000000Z' };

  it.each([
    { is: 'not valid yet', dates: FUTURE, code: 'clock-wrong', what: /clock .* is probably behind/ },
    { is: 'over', dates: PAST, code: 'certificate-mismatch', what: /expired, or the clock .* ahead/ },
  ])('since it is $is is told apart, with what the clock says', async ({ dates, code, what }) => {
    device.clear();
    await overlord.stop();
    await starts(datedCertificate(folder, 'ours', dates));
    const year = String(new Date().getUTCFullYear());
    await expect(device.source().desired(null, { eager: true })).rejects.toMatchObject({
      problem: {
        code,
        what: expect.stringMatching(what),
        remedy: expect.stringContaining(`It says ${year}-`),
      },
    });
  });
});
