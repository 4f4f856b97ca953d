import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { arrangeSignals } from '../../src/checkin/signals.ts';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { FakeOverlord } from './fake-overlord.ts';
import { joinFleet, type Joined } from './joined.ts';

let folder: string;
let ours: Certificates;
let overlord: FakeOverlord;
let device: Joined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-signals-'));
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

const run = (): Joined['context']['paths']['run'] => device.context.paths.run;
function arrange(signals?: 'sse' | 'off', heartbeat?: number): Promise<void> {
  const current = { key: 'k', signals, heartbeat } as unknown as NonNullable<Journal['current']>;
  const journal = signals === undefined ? EMPTY_JOURNAL : { ...EMPTY_JOURNAL, current };
  return arrangeSignals({ ...device.context, config: device.config } as unknown as Context, journal);
}

describe('the wake unit is handed', () => {
  it('where the overlord is, its authority and the token, which nobody else can read', async () => {
    await device.source().desired(null, { eager: true });
    await arrange();
    const [token] = overlord.tokens;
    const { host } = new URL(overlord.url);
    expect(readFileSync(run().signals, 'utf8')).toBe(`${host}\nlocalhost\n${token}\n120\n`);
    expect(statSync(run().signals).mode & 0o777).toBe(0o640);
    expect(readFileSync(run().overlordCa, 'utf8')).toBe(ours.ca);
  });

  it('the new token when there is one, and nothing is written when there is none', async () => {
    await device.source().desired(null, { eager: true });
    await arrange();
    const { mtimeMs } = statSync(run().signals);
    await arrange('sse');
    expect(statSync(run().signals).mtimeMs).toBe(mtimeMs);
    overlord.answer = () => ({ token: overlord.newToken() });
    await device.source().desired(null, { eager: true });
    await arrange();
    expect(readFileSync(run().signals, 'utf8')).toContain([...overlord.tokens].at(-1));
  });

  it('the heartbeat that the role asks for', async () => {
    await device.source().desired(null, { eager: true });
    await arrange('sse', 30);
    expect(readFileSync(run().signals, 'utf8')).toMatch(/\n30\n$/);
  });

  it('nothing before there is a token', async () => {
    await arrange();
    expect(existsSync(run().signals)).toBe(false);
  });

  it('nothing any more where the role wants no signals', async () => {
    await device.source().desired(null, { eager: true });
    await arrange();
    await arrange('off');
    expect(existsSync(run().signals)).toBe(false);
  });
});
