import { describe, expect, it } from 'vitest';
import { AWAY, deployment, ENVIRONMENT, RUNNING_A, STOPPED, Story, wanted } from './story.ts';

describe('a stack that breaks later', () => {
  it('is repaired, three times with growing pauses, then the device goes back to the release before (A7)', () => {
    const story = new Story();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      story.runs(wanted('a'), [STOPPED]);
      expect(story.effect).toMatchObject({ kind: 'repair', faults: [STOPPED] });
      story.happens({ type: 'repaired' }).runs(wanted('a'), [STOPPED]);
      expect(story.effect).toBeNull();
      story.waits(story.journal.repairs?.wait ?? 0);
    }
    story.runs(wanted('a'), [STOPPED]);
    expect(story.effect).toEqual({ kind: 'revert', failed: deployment('a'), to: deployment('f') });
    expect(story.journal.quarantine).toMatchObject([{ key: deployment('a').key }]);
  });

  it('falls into safe mode where there is nothing to go back to (A21)', () => {
    const story = new Story({ ...RUNNING_A, previous: null });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      story.runs(wanted('a'), [STOPPED]);
      expect(story.effect?.kind).toBe('repair');
      story.happens({ type: 'repaired' }).waits(4_500);
    }
    story.runs(wanted('a'), [STOPPED]);
    expect(story.journal).toMatchObject({
      state: { name: 'safe' },
      current: deployment('a'),
      quarantine: [],
    });
    expect(story.history.at(-1)).toMatchObject({ event: 'safe-mode', problem: { code: 'stack-broken' } });
  });

  it('in nothing that its services notice is mended for as long as it takes: it is not stopped for that', () => {
    const lost = { kind: 'release-lost', subject: '/opt', detail: 'is gone from the disk' } as const;
    const story = new Story();
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      expect(story.runs(null, [lost]).effect?.kind).toBe('repair');
      story.fails(ENVIRONMENT).waits(4_500);
    }
  });

  it('whose files are gone is fetched again, while a source offers them', () => {
    const lost = { kind: 'release-lost', subject: '/opt', detail: 'is gone from the disk' } as const;
    const story = new Story().runs(wanted('a'), [lost]);
    expect(story.effect).toMatchObject({ kind: 'fetch', wanted: wanted('a') });
    story.runs(wanted('a'), [lost]);
    expect(story.effect).toMatchObject({ kind: 'fetch' });
    expect(new Story().runs(null, [lost]).effect?.kind).toBe('repair');
  });

  it('is judged sick only when Docker answers; an engine that was silent once is not ill', () => {
    const story = new Story().runs(wanted('a'), null);
    expect(story.effect).toBeNull();
    expect(story.history).toEqual([]);
    expect(story.runs(wanted('a')).journal.repairs).toBeNull();
  });

  it('with an engine that stays silent has it restarted four times, then falls into safe mode', () => {
    const story = new Story().runs(wanted('a'), null).waits(4_500);
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      story.runs(wanted('a'), null);
      expect(story.effect).toMatchObject({ kind: 'repair', faults: [{ kind: 'engine-down' }] });
      story.fails(AWAY).waits(4_500);
    }
    story.runs(wanted('a'), null);
    expect(story.journal).toMatchObject({
      state: { name: 'safe' },
      quarantine: [],
      previous: deployment('f'),
    });
  });

  it('has its repairs forgotten after ten quiet minutes, and not sooner', () => {
    const story = new Story().runs(wanted('a'), [STOPPED]).happens({ type: 'repaired' });
    expect(story.waits(60).runs(wanted('a')).journal.repairs).not.toBeNull();
    expect(story.waits(600).runs(wanted('a')).journal.repairs).toBeNull();
  });
});
