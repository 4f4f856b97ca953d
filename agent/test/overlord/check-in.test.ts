import type { Report } from '@metrica-fleet/protocol/api';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addReport, reportId } from '../../src/report/outbox.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { FakeOverlord } from './fake-overlord.ts';
import { joinFleet, put, statusAt, type Joined } from './joined.ts';

let folder: string;
let ours: Certificates;
let overlord: FakeOverlord;
let device: Joined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-check-in-'));
  ours = makeCertificates(folder, 'ours');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  overlord = await FakeOverlord.start(ours);
  device = joinFleet(overlord, ours.ca);
});
afterEach(async () => {
  device.clear();
  await overlord.stop();
});

const EAGER = { eager: true };
const IDLE = { eager: false };
const paths = (): Joined['context']['paths'] => device.context.paths;
const asked = (): string[] => overlord.requests.map(({ path }) => path.split('/').at(-1) ?? '');
const report = (n: number): Report => ({
  id: reportId('test', String(n)),
  at: '2026-01-01T00:00:00Z',
  kind: 'updated',
});
const outbox = (): Promise<void> => addReport(device.context.ports.disk, paths().outbox, report(1));
const waiting = (): number => (existsSync(paths().outbox) ? readdirSync(paths().outbox).length : 0);
const statusIs = (status: ReturnType<typeof statusAt>): void =>
  put(paths().run.status, JSON.stringify(status));
/** The wake unit says that the stream is alive. */
/** A heartbeat some seconds ago that is good for four minutes. */
const beat = (ago = 0): void => {
  const uptime = Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]));
  put(paths().run.beat, `${uptime - ago} 240\n`);
};

describe('the token', () => {
  it('comes by a challenge, is kept for root alone, and serves the next runs', async () => {
    await device.source().desired(null, EAGER);
    await device.source().desired(null, EAGER);
    expect(asked()).toEqual(['challenge', 'token', 'check-in', 'check-in']);
    expect(statSync(paths().run.token).mode & 0o777).toBe(0o600);
  });

  it('is renewed by the answer to a check-in', async () => {
    overlord.answer = () => ({ token: overlord.newToken() });
    await device.source().desired(null, EAGER);
    const [, , first] = overlord.requests;
    overlord.tokens.delete(first?.headers.authorization?.replace('Bearer ', '') ?? '');
    await device.source().desired(null, EAGER);
    expect(asked()).toEqual(['challenge', 'token', 'check-in', 'check-in']);
  });

  it('that is over is replaced once, by a new challenge', async () => {
    await device.source().desired(null, EAGER);
    overlord.tokens.clear();
    await device.source().desired(null, EAGER);
    expect(asked().slice(3)).toEqual(['check-in', 'challenge', 'token', 'check-in']);
  });

  it('that is refused again and again is no reason to ask for ever', async () => {
    overlord.newToken = () => 'ey.never-good';
    await expect(device.source().desired(null, EAGER)).rejects.toMatchObject({
      problem: { code: 'source-denied', what: 'The token is over' },
    });
    expect(asked()).toEqual(['challenge', 'token', 'check-in']);
  });
});

describe('the connection', () => {
  it('resumes the TLS session that the first run of the day has made', async () => {
    await device.source().desired(null, EAGER);
    // A process that ends writes the session first; this one goes on.
    await expect.poll(() => existsSync(paths().run.tlsSession)).toBe(true);
    await freshProcess().desired(null, EAGER);
    await freshProcess().desired(null, EAGER);
    expect(overlord.requests.map(({ resumed }) => resumed)).toEqual([false, true, true, true, true]);
    expect(statSync(paths().run.tlsSession).mode & 0o777).toBe(0o600);
  });

  it('is refused where the server is not vouched for by the pinned authority, even with a session at hand', async () => {
    await device.source().desired(null, EAGER);
    put(join(device.on.root, 'ca.pem'), makeCertificates(folder, 'theirs').ca);
    await expect(freshProcess().desired(null, EAGER)).rejects.toMatchObject({
      problem: { code: 'certificate-mismatch', where: overlord.url },
    });
    expect(asked()).toHaveLength(3);
  });

  it('that brings a hundred megabytes is ended after two, and the device goes on with what it has', async () => {
    const flood = ['x'.repeat(100 * 1024 * 1024)];
    overlord.answer = () => ({ acknowledged: flood });
    await outbox();
    await expect(device.source().desired(null, EAGER)).rejects.toMatchObject({
      problem: { code: 'source-unreachable', what: 'The answer is far too large' },
    });
    expect(waiting()).toBe(1);
  });

  it('that nobody answers is a problem of the network', async () => {
    await overlord.stop();
    await expect(device.source().desired(null, EAGER)).rejects.toMatchObject({
      problem: { code: 'source-unreachable', where: overlord.url },
    });
  });

  /** What a run has that begins: everything but what lies on the disk is new. */
  function freshProcess(): ReturnType<Joined['source']> {
    return device.again().source();
  }
});

describe('a status', () => {
  it('travels whole once, and then as null while only its times move on', async () => {
    statusIs(statusAt('2026-01-01T00:00:00Z'));
    await device.source().desired(null, EAGER);
    statusIs(statusAt('2026-01-01T00:05:00Z'));
    await device.source().desired(null, EAGER);
    statusIs(statusAt('2026-01-01T00:10:00Z', { health: 'degraded' }));
    await device.source().desired(null, EAGER);
    expect(overlord.checkIns.map(({ status }) => status?.health ?? null)).toEqual([
      'healthy',
      null,
      'degraded',
    ]);
  });

  it('travels whole again when the overlord has lost it', async () => {
    statusIs(statusAt('2026-01-01T00:00:00Z'));
    await device.source().desired(null, EAGER);
    overlord.answer = () => ({ statusWanted: true });
    await device.source().desired(null, EAGER);
    await device.source().desired(null, EAGER);
    expect(overlord.checkIns.map(({ status }) => status !== null)).toEqual([true, false, true]);
  });

  it('that is news at the end of a run is told at once; one that is not is not', async () => {
    const source = device.source();
    await source.desired(null, EAGER);
    await source.tell?.(statusAt('2026-01-01T00:00:00Z'), null);
    await source.tell?.(statusAt('2026-01-01T00:00:01Z'), null);
    expect(overlord.checkIns.map(({ status }) => status !== null)).toEqual([false, true]);
  });
});

describe('a report', () => {
  it('is delivered until it is acknowledged, as the same report', async () => {
    await outbox();
    overlord.loseAnswers = 1;
    await expect(device.source().desired(null, EAGER)).rejects.toThrow('cannot be reached');
    expect(waiting()).toBe(1);
    await device.source().desired(null, EAGER);
    expect(overlord.checkIns.map(({ reports }) => reports.map(({ id }) => id))).toEqual([
      [report(1).id],
      [report(1).id],
    ]);
    expect(overlord.reports.size).toBe(1);
    expect(waiting()).toBe(0);
  });

  it('stays where the answer acknowledges others', async () => {
    await outbox();
    overlord.answer = () => ({ acknowledged: [report(2).id] });
    await device.source().desired(null, EAGER);
    expect(waiting()).toBe(1);
  });
});

describe('a silence', () => {
  it('is a line in the log once for each reason, not once a run', async () => {
    const said = vi.spyOn(device.context.ports.log, 'warning');
    overlord.loseAnswers = 3;
    for (const _ of [1, 2, 3])
      await expect(device.source().desired(null, EAGER)).rejects.toThrow('cannot be reached');
    overlord.tokens.clear();
    overlord.newToken = () => 'ey.never-good';
    for (const _ of [1, 2])
      await expect(device.source().desired(null, EAGER)).rejects.toThrow('The token is over');
    expect(said.mock.calls.map(([, fields]) => fields)).toMatchObject([
      { problem: { code: 'source-unreachable' } },
      { problem: { code: 'source-denied' } },
    ]);
  });
});

describe('a run that nobody asked for', () => {
  beforeEach(async () => {
    statusIs(statusAt('2026-01-01T00:00:00Z'));
    await device.source().desired(null, EAGER);
    overlord.requests.length = 0;
  });

  it('sends nothing at all while the stream is alive and nothing is new', async () => {
    beat();
    const source = device.source();
    await source.desired(null, IDLE);
    await source.tell?.(statusAt('2026-01-01T00:05:00Z'), null);
    expect(asked()).toEqual([]);
  });

  it.each(['without a stream', 'with a stream that has gone silent'])('checks in %s', async (stream) => {
    if (stream !== 'without a stream') beat(250);
    await device.source().desired(null, IDLE);
    expect(asked()).toEqual(['check-in']);
  });

  it.each(['', 'soon', '-1', '99999999999 1', '1e3 240', '0', '0 0', '0 99999'])(
    'takes %j for no stream',
    async (content) => {
      put(paths().run.beat, content);
      await device.source().desired(null, IDLE);
      expect(asked()).toEqual(['check-in']);
    },
  );

  it('checks in when a report waits', async () => {
    beat();
    await outbox();
    await device.source().desired(null, IDLE);
    expect(asked()).toEqual(['check-in']);
  });

  it('tells at its end what has changed', async () => {
    beat();
    const source = device.source();
    await source.desired(null, IDLE);
    await source.tell?.(statusAt('2026-01-01T00:05:00Z', { health: 'degraded' }), null);
    expect(asked()).toEqual(['check-in']);
  });
});

describe('a device', () => {
  it('that has not joined says how to', async () => {
    rmSync(paths().identity.device);
    await expect(device.source().desired(null, EAGER)).rejects.toMatchObject({
      problem: { code: 'not-enrolled', remedy: expect.stringContaining('Enrol') },
    });
    expect(asked()).toEqual([]);
  });
});
