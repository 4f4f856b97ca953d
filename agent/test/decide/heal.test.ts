import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/decide/vocabulary.ts';
import { AWAY, deployment, ENVIRONMENT, RUNNING_A, STOPPED, Story, wanted } from './story.ts';

const CHANGED: Fault = { kind: 'changed-file', subject: '/x', detail: 'has changed' };

describe('a stack that breaks later', () => {
  it('is repaired, three times with growing pauses, then the device goes back to the release before (A7)', () => {
    const story = new Story();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      story.runs(wanted('a'), [STOPPED]);
      expect(story.effect).toMatchObject({ kind: 'repair', faults: [STOPPED] });
      story.happens({ type: 'repaired', detail: 'web stopped: started' }).runs(wanted('a'), [STOPPED]);
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
      story.happens({ type: 'repaired', detail: 'web stopped: started' }).waits(4_500);
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
    const story = new Story()
      .runs(wanted('a'), [STOPPED])
      .happens({ type: 'repaired', detail: 'web stopped: started' });
    expect(story.waits(60).runs(wanted('a')).journal.repairs).not.toBeNull();
    expect(story.waits(600).runs(wanted('a')).journal.repairs).toBeNull();
  });

  it('waits for images that are being pulled, and counts no try for it', () => {
    const story = new Story().runs(wanted('a'), [STOPPED]).happens({ type: 'mending' });
    expect(story.effect).toBeNull();
    expect(story.journal.repairs).toBeNull();
    expect(story.runs(wanted('a'), [STOPPED]).effect?.kind).toBe('repair');
  });

  it('is told with what was found and what was done; what fails again for the same reason is told once', () => {
    const story = new Story().runs(wanted('a'), [STOPPED]);
    story.happens({ type: 'repaired', detail: 'web has exited with 1: started again' });
    expect(story.history).toMatchObject([
      { event: 'repaired', role: 'web', detail: 'web has exited with 1: started again' },
    ]);
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      story.waits(4_500).runs(wanted('a'), [CHANGED]);
      story.happens({ type: 'repaired', detail: '/x has changed', problem: ENVIRONMENT });
    }
    expect(story.history).toHaveLength(2);
  });

  it('gets what a source offers only if that is what runs', () => {
    expect(new Story().runs(wanted('a'), [CHANGED]).effect).toMatchObject({ offered: wanted('a') });
    expect(new Story().runs(null, [CHANGED]).effect).not.toHaveProperty('offered');
  });

  it('for want of an image goes back to the release before, and comes again when that can be had', () => {
    const story = new Story();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      story.runs(wanted('a'), [STOPPED]);
      story.happens({ type: 'repaired', detail: 'web', problem: ENVIRONMENT }).waits(4_500);
    }
    story.runs(wanted('a'), [STOPPED]);
    expect(story.effect).toMatchObject({ kind: 'revert', to: deployment('f') });
    expect(story.journal).toMatchObject({ quarantine: [], delayed: { key: deployment('a').key } });
    story.happens({ type: 'activated', gate: story.gate() }).happens({ type: 'passed' });
    expect(story.waits(4_500).runs(wanted('a')).effect?.kind).toBe('fetch');
  });

  it('for want of space is mended again every few minutes, for as long as it takes', () => {
    const story = new Story();
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      expect(story.runs(wanted('a'), [STOPPED]).effect?.kind).toBe('repair');
      story.happens({ type: 'repaired', detail: 'web', problem: { code: 'no-space', what: 'full' } });
      story.waits(310);
    }
    expect(story.runs(wanted('a')).journal).toMatchObject({ current: deployment('a'), quarantine: [] });
  });
});
