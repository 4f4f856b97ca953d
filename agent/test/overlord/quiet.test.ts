import { digestOfJson } from '@metrica-fleet/protocol';
import { expect, it } from 'vitest';
import { mayStayQuiet, type Occasion } from '../../src/sources/overlord/quiet.ts';

const STATUS = digestOfJson('as before');
const NOW = { uptime: 100_000, boot: 'b', wall: '2026-01-01T00:00:00Z' };

/** Five minutes after a check-in, with a stream that was alive a minute ago, and nothing new. */
const QUIET: Occasion = {
  eager: false,
  contact: { schemaVersion: 1, status: STATUS, answered: NOW.uptime - 300, silence: null },
  status: STATUS,
  waitingReports: 0,
  beat: { at: NOW.uptime - 60, goodFor: 241 },
  now: NOW,
};
const answered = (ago: number | null): Partial<Occasion> => ({
  contact: { ...QUIET.contact, answered: ago === null ? null : NOW.uptime - ago },
});
const beat = (ago: number, goodFor: number): Partial<Occasion> => ({
  beat: { at: NOW.uptime - ago, goodFor },
});

it.each<[string, Partial<Occasion>]>([
  ['at the next interval', {}],
  ['for almost half an hour', answered(1_700)],
  ['until two heartbeats as promised have not come, however long that is', beat(1_000, 1_201)],
])('a run with nothing to say does without a check-in %s', (_, occasion) => {
  expect(mayStayQuiet({ ...QUIET, ...occasion })).toBe(true);
});

it.each<[string, Partial<Occasion>]>([
  ['that somebody asked for', { eager: true }],
  ['half an hour after the last check-in', answered(1_790)],
  ['when there was none since the boot', answered(null)],
  ['without a stream', { beat: null }],
  ['with a stream that is silent', beat(242, 241)],
  ['with a heartbeat from the future', beat(-10, 241)],
  ['with another status', { status: digestOfJson('another') }],
  ['with a report', { waitingReports: 1 }],
  ['after an outage', { contact: { ...QUIET.contact, silence: { why: 'x' } } }],
])('a run %s checks in', (_, occasion) => {
  expect(mayStayQuiet({ ...QUIET, ...occasion })).toBe(false);
});
