import { describe, expect, it } from 'vitest';
import { heed } from '../../src/decide/heed.ts';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import { opensIn, windowOf, type UpdateWindow } from '../../src/decide/window.ts';
import { deployment, RUNNING_A, STOPPED, Story, wanted } from './story.ts';

const NIGHT: UpdateWindow = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  start: '02:00',
  end: '04:00',
  timezone: 'UTC',
  orNextBoot: false,
};

function at(wall: string): { wall: string; uptime: number; boot: string } {
  return { wall, uptime: 1, boot: 'boot-1' };
}

/** Hours until the window opens. */
function hours(window: Partial<UpdateWindow>, wall: string): number {
  return opensIn({ ...NIGHT, ...window }, at(wall)) / 3_600;
}

describe('an update window', () => {
  it('is open from its start until before its end', () => {
    expect(hours({}, '2026-01-05T01:59:00Z') * 60).toBe(1);
    expect(hours({}, '2026-01-05T02:00:00Z')).toBe(0);
    expect(hours({}, '2026-01-05T03:59:59Z')).toBe(0);
    expect(hours({}, '2026-01-05T04:00:00Z')).toBe(22);
  });

  it('that ends before it starts goes past midnight, and belongs to the day on which it opened', () => {
    const late = { start: '22:00', end: '04:00', days: ['fri'] } as const;
    expect(hours(late, '2026-01-09T21:00:00Z')).toBe(1);
    expect(hours(late, '2026-01-10T03:59:00Z')).toBe(0);
    expect(hours(late, '2026-01-10T05:00:00Z')).toBe(6 * 24 + 17);
    expect(hours(late, '2026-01-09T03:00:00Z')).toBe(19);
  });

  it('that ends when it starts is a whole day', () => {
    expect(hours({ start: '06:00', end: '06:00', days: ['sun'] }, '2026-01-12T05:59:00Z')).toBe(0);
  });

  it('opens on its days only', () => {
    expect(hours({ days: ['mon'] }, '2026-01-05T04:30:00Z')).toBe(7 * 24 - 2.5);
  });

  it('is on the clock of its time zone, in winter and in summer', () => {
    const berlin = { timezone: 'Europe/Berlin' };
    expect(hours(berlin, '2026-01-05T01:00:00Z')).toBe(0);
    expect(hours(berlin, '2026-07-06T00:00:00Z')).toBe(0);
    expect(hours({ timezone: 'Asia/Kolkata' }, '2026-01-04T20:30:00Z')).toBe(0);
    expect(hours({ timezone: 'America/Los_Angeles', days: ['sun'] }, '2026-01-05T10:00:00Z')).toBe(6 * 24);
  });

  it('in the hour that the spring skips opens all the same, an hour later', () => {
    // In Berlin 29 March 2026 has no 02:00 to 02:59; at 01:00 UTC it is 03:00.
    const skipped = { timezone: 'Europe/Berlin', start: '02:15', end: '02:45' };
    expect(hours(skipped, '2026-03-29T01:15:00Z')).toBe(0);
    expect(hours(skipped, '2026-03-29T01:10:00Z') * 60).toBe(5);
    expect(hours(skipped, '2026-03-29T01:45:00Z')).toBe(22.5);
  });

  it('in the hour that the autumn repeats opens once, the second time', () => {
    // In Berlin 25 October 2026 has 02:00 to 02:59 twice, from 00:00 UTC on.
    const twice = { timezone: 'Europe/Berlin', start: '02:15', end: '02:45' };
    expect(hours(twice, '2026-10-25T00:15:00Z')).toBe(1);
    expect(hours(twice, '2026-10-25T01:15:00Z')).toBe(0);
    expect(hours(twice, '2026-10-25T01:45:00Z')).toBe(23.5);
  });

  it('of a role has its days and its time zone from the device where the role names none', () => {
    const window = { start: '02:00', end: '04:00' };
    expect(windowOf({ name: 'web', update: { window } }, 'UTC')).toEqual({
      ...NIGHT,
      days: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
    });
    expect(windowOf({ name: 'web' }, 'UTC')).toBeNull();
  });
});

/** A device on which `b`, whose window is this, has been staged at a quarter past one in the night. */
function staged(window: UpdateWindow = NIGHT, journal: Journal = RUNNING_A): Story {
  const story = new Story(journal);
  story.now = { ...story.now, wall: '2026-01-05T01:15:00Z' };
  story.runs(wanted('b')).happens({
    type: 'fetched',
    deployment: { ...deployment('b'), window },
    counter: null,
  });
  return story.happens({ type: 'pulled' }).happens({ type: 'marked' });
}

function clock(story: Story, wall: string): Story {
  story.now = { ...story.now, wall };
  return story;
}

describe('a release that comes outside of its window', () => {
  it('is staged and waits, while the device is idle, heals itself, and writes nothing', () => {
    const story = staged();
    expect(story.journal).toMatchObject({ state: { name: 'idle' }, scheduled: { stagedIn: 'boot-1' } });
    expect(story.history.at(-1)).toMatchObject({
      event: 'scheduled',
      detail: 'its window opens 2026-01-05 02:00 UTC',
    });
    const before = story.journal;
    expect(story.runs(wanted('b')).effect).toBeNull();
    expect(story.journal).toBe(before);
    expect(story.runs(wanted('b'), [STOPPED]).effect?.kind).toBe('repair');
  });

  it('is swapped in when the window opens, without being fetched again', () => {
    const story = clock(staged(), '2026-01-05T02:00:00Z').runs(wanted('b'));
    expect(story.effect?.kind).toBe('pull');
    expect(story.happens({ type: 'pulled' }).happens({ type: 'marked' }).effect?.kind).toBe('activate');
    expect(story.journal.scheduled).toBeUndefined();
  });

  it('waits again when its images took until the window was closed', () => {
    const story = clock(staged(), '2026-01-05T03:59:00Z').runs(wanted('b')).happens({ type: 'pulling' });
    clock(story, '2026-01-05T05:00:00Z').runs(wanted('b')).happens({ type: 'pulled' });
    story.happens({ type: 'marked' });
    expect(story.journal).toMatchObject({ state: { name: 'idle' }, scheduled: { stagedIn: 'boot-1' } });
  });

  it('is dropped for a newer one, and when the fleet goes back to what runs', () => {
    expect(staged().runs(wanted('c')).effect).toMatchObject({ kind: 'fetch', wanted: wanted('c') });
    const back = staged().runs(wanted('a'));
    expect(back.tidies().effect).toBeNull();
    expect(back.journal.scheduled).toBeUndefined();
  });

  it('waits through a reboot, unless its window says «or at the next boot»', () => {
    expect(staged().reboots().runs(wanted('b')).effect).toBeNull();
    const story = staged({ ...NIGHT, orNextBoot: true });
    expect(story.runs(wanted('b')).effect).toBeNull();
    story.reboots().runs(wanted('b')).happens({ type: 'pulled' }).happens({ type: 'marked' });
    expect(story.effect?.kind).toBe('activate');
  });

  it('does not wait where nothing runs, nor when somebody asks for a redeploy', () => {
    expect(staged(NIGHT, EMPTY_JOURNAL).effect?.kind).toBe('activate');
    const story = staged();
    story.journal = heed(story.journal, { insist: true, redeploy: true }, wanted('b'));
    story.runs(wanted('b')).happens({ type: 'pulled' }).happens({ type: 'marked' });
    expect(story.effect?.kind).toBe('activate');
  });

  it('goes back without waiting when it fails', () => {
    const story = clock(staged(), '2026-01-05T03:59:00Z').runs(wanted('b')).happens({ type: 'pulled' });
    story.happens({ type: 'marked' }).happens({ type: 'activated', gate: story.gate() });
    clock(story, '2026-01-05T04:30:00Z').fails({ code: 'health-failed', what: 'is ill' });
    expect(story.effect).toMatchObject({ kind: 'revert', to: deployment('a') });
  });
});
