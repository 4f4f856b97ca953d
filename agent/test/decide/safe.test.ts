import { describe, expect, it } from 'vitest';
import { heed } from '../../src/decide/heed.ts';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import { AWAY, CONTENT, deployment, ENVIRONMENT, RUNNING_A, STOPPED, Story, wanted } from './story.ts';

/** A device whose only good release has stopped for good. */
function inSafeMode(): Story {
  const story = new Story({ ...RUNNING_A, previous: null });
  for (let attempt = 1; attempt <= 3; attempt += 1)
    story
      .runs(wanted('a'), [STOPPED])
      .happens({ type: 'repaired', detail: 'web stopped: started' })
      .waits(4_500);
  return story.runs(wanted('a'), [STOPPED]);
}

function stopped(journal?: Journal): Story {
  const story = new Story(journal);
  return story.happens({ type: 'observed', seen: { desired: wanted('a'), faults: [], stop: true } });
}

/** Feeds what follows from a swap that goes well. */
function goesWell(story: Story): Story {
  return story.happens({ type: 'activated', gate: story.gate() }).happens({ type: 'passed' });
}

/** A person asks for a redeploy. */
function redeploys(story: Story, letter: string): Story {
  story.journal = heed(story.journal, { insist: true, redeploy: true }, wanted(letter));
  return story.runs(wanted(letter), [STOPPED]);
}

describe('a device in safe mode', () => {
  it('stays as it is, and sees to it in every run: a reboot ends the page', () => {
    const story = inSafeMode();
    const before = story.journal;
    story.runs(wanted('a'), [STOPPED]);
    expect(story.effect).toMatchObject({ kind: 'enter-safe', failed: deployment('a') });
    expect(story.journal).toBe(before);
  });

  it('takes a newer release, and is out of it once that has passed its gate', () => {
    const story = inSafeMode();
    story
      .runs(wanted('b'), [STOPPED])
      .happens({ type: 'fetched', deployment: deployment('b'), counter: null });
    story.happens({ type: 'pulled' }).happens({ type: 'marked' });
    expect(story.effect).toEqual({ kind: 'activate', deployment: deployment('b'), from: null });
    expect(story.journal.safe).toBeDefined();
    goesWell(story);
    expect(story.journal).toMatchObject({
      state: { name: 'idle' },
      current: deployment('b'),
      previous: null,
    });
    expect(story.journal.safe).toBeUndefined();
  });

  it.each([
    ['before the swap', (story: Story) => story],
    [
      'after it',
      (story: Story) =>
        story
          .happens({ type: 'fetched', deployment: deployment('b'), counter: null })
          .happens({ type: 'pulled' })
          .happens({ type: 'marked' })
          .happens({ type: 'activated', gate: story.gate() }),
    ],
  ])('is back in it when the newer release fails %s', (_, comes) => {
    const story = comes(inSafeMode().runs(wanted('b'), [STOPPED])).fails(CONTENT);
    expect(story.journal).toMatchObject({
      state: { name: 'safe' },
      current: deployment('a'),
      quarantine: [{ key: deployment('b').key }],
    });
    expect(story.runs(wanted('b'), [STOPPED]).effect?.kind).toBe('enter-safe');
  });

  it('tries what ran last again by itself, less and less often, and says each reason once', () => {
    const story = inSafeMode();
    const waits: number[] = [];
    for (let round = 1; round <= 4; round += 1) {
      const wait = story.journal.safe?.retry.wait ?? 0;
      waits.push(wait);
      story.waits(wait).runs(wanted('a'), [STOPPED]);
      expect(story.effect).toEqual({ kind: 'activate', deployment: deployment('a'), from: null });
      story.happens({ type: 'activated', gate: story.gate() }).fails(CONTENT);
      expect(story.journal).toMatchObject({ state: { name: 'safe' }, quarantine: [] });
    }
    expect(waits.map((wait) => wait >= 600 && wait <= 4_500)).toEqual([true, true, true, true]);
    expect(waits[1]).toBeGreaterThan((waits[0] ?? 0) * 1.3);
    const said = story.history.filter(({ event }) => event === 'safe-mode');
    expect(said.map(({ problem }) => problem?.code)).toEqual(['stack-broken', 'health-failed']);
    story.waits(5_000).runs(wanted('a'), [STOPPED]);
    goesWell(story);
    expect(story.journal).toMatchObject({ state: { name: 'idle' }, current: deployment('a') });
    expect(story.journal.safe).toBeUndefined();
  });

  it('tries at once after a reboot, and when somebody asks for a redeploy', () => {
    expect(inSafeMode().reboots().runs(wanted('a'), [STOPPED]).effect?.kind).toBe('activate');
    expect(redeploys(inSafeMode(), 'a').effect?.kind).toBe('activate');
  });

  it('takes up again what failed here when somebody asks for a redeploy of it', () => {
    const story = new Story(EMPTY_JOURNAL)
      .reaches('probation', 'b')
      .fails(CONTENT)
      .happens({ type: 'passed' });
    expect(story.journal.state.name).toBe('safe');
    expect(redeploys(story, 'b').effect?.kind).toBe('fetch');
  });

  it('because of its engine is out of it as soon as that answers, and restarts it now and then until it does', () => {
    const story = new Story().runs(wanted('a'), null).waits(4_500);
    for (let attempt = 1; attempt <= 4; attempt += 1) story.runs(wanted('a'), null).fails(AWAY).waits(4_500);
    story.happens({ type: 'observed', seen: { desired: wanted('a'), faults: null, blind: AWAY } });
    expect(story.journal).toMatchObject({ state: { name: 'safe' }, safe: { problem: AWAY } });
    expect(story.runs(wanted('a'), null).effect?.kind).toBe('enter-safe');
    story.waits(5_000).runs(wanted('a'), null);
    expect(story.effect).toMatchObject({ kind: 'repair', faults: [{ kind: 'engine-down' }] });
    story.fails(AWAY);
    expect(story.runs(wanted('a'), null).effect?.kind).toBe('enter-safe');
    expect(story.runs(wanted('a'), [STOPPED]).effect?.kind).toBe('activate');
  });

  it('survives an environment that is against every step of the way out', () => {
    const story = inSafeMode().waits(5_000).runs(wanted('a'), [STOPPED]);
    for (let tries = 1; tries <= 5; tries += 1) story.fails(ENVIRONMENT).runs(wanted('a'), [STOPPED]);
    expect(story.journal.state.name).toBe('safe');
  });
});

describe('safe mode by order', () => {
  it('stops a healthy stack, and holds until a redeploy, whatever is pushed and however long it takes', () => {
    const story = stopped();
    expect(story.effect).toMatchObject({ kind: 'enter-safe', failed: deployment('a') });
    expect(story.history).toMatchObject([{ event: 'safe-mode', problem: { code: 'safe-mode-ordered' } }]);
    for (const letter of ['a', 'b', 'a']) {
      expect(story.waits(90_000).reboots().runs(wanted(letter), [STOPPED]).effect?.kind).toBe('enter-safe');
    }
    expect(redeploys(story, 'a').effect).toMatchObject({ kind: 'activate', deployment: deployment('a') });
    goesWell(story);
    expect(story.journal).toMatchObject({ state: { name: 'idle' }, previous: deployment('f') });
  });

  it('drops what is on its way in', () => {
    const { journal } = new Story().reaches('staged', 'b');
    expect(stopped(journal).journal.state.name).toBe('safe');
  });

  it('holds a device that was in safe mode already', () => {
    const story = inSafeMode();
    story.happens({ type: 'observed', seen: { desired: wanted('a'), faults: [STOPPED], stop: true } });
    expect(story.waits(90_000).runs(wanted('b'), [STOPPED]).effect?.kind).toBe('enter-safe');
  });

  it('is not taken in the middle of a swap, which is judged first', () => {
    const { journal } = new Story().reaches('probation', 'b');
    expect(stopped(journal).effect?.kind).toBe('judge');
  });
});
