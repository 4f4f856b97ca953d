import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/decide/journal.ts';
import type { Effect } from '../../src/decide/vocabulary.ts';
import { CONTENT, deployment, ENVIRONMENT, STOPPED, Story, wanted } from './story.ts';

const FULL = {
  code: 'no-space',
  what: 'Pulling web:2 needs about 300 MiB free, the disk has 100 MiB',
} as const;
const STUCK = { code: 'command-failed', what: '«docker image rm» failed' } as const;

const kept = (effect: Effect | null): string[] =>
  effect?.kind === 'collect' ? effect.keep.map(({ key }) => letterOf(key)).sort() : ['nothing is collected'];
const letterOf = (key: string): string =>
  'abcdef'.split('').find((one) => deployment(one).key === key) ?? key;

/** A run of a device with a disk that is nearly full. */
function cramped(story: Story): Story {
  return story.happens({ type: 'observed', seen: { desired: wanted('a'), faults: [], cramped: true } });
}

describe('what an update leaves behind', () => {
  it('is removed once the new release has passed its gate; that and the way back stay', () => {
    const story = new Story().reaches('idle', 'b');
    expect(kept(story.effect)).toEqual(['a', 'b']);
    expect(story.tidies().runs(wanted('b')).effect).toBeNull();
    expect(story.journal.litter).toBeUndefined();
  });

  it('is removed by the next run where the power failed before', () => {
    const story = new Story().reaches('idle', 'b').reboots().runs(wanted('b'));
    expect(kept(story.effect)).toEqual(['a', 'b']);
  });

  it('is removed after a release that was refused before the swap', () => {
    const story = new Story().runs(wanted('b')).fails(CONTENT).runs(wanted('b'));
    expect(kept(story.effect)).toEqual(['a', 'f']);
  });

  it('is kept while the update is tried again: the next try goes on with it', () => {
    const story = new Story().runs(wanted('b')).fails(ENVIRONMENT).runs(wanted('b'));
    expect(story.effect).toBeNull();
  });

  it('waits while the stack has to be mended', () => {
    const story = new Story().runs(wanted('b')).fails(CONTENT).runs(wanted('b'), [STOPPED]);
    expect(story.effect?.kind).toBe('repair');
  });

  it('is tried again with a growing wait where it cannot be removed, five times', () => {
    const story = new Story().reaches('idle', 'b');
    let tries = 0;
    while (story.effect?.kind === 'collect' && tries < 10) {
      tries += 1;
      story.happens({ type: 'collected', images: [], bytes: 0, problem: STUCK });
      expect(story.runs(wanted('b')).effect).toBeNull();
      story.waits(5_000).runs(wanted('b'));
    }
    expect(tries).toBe(5);
    expect(kept(story.reaches('idle', 'c').effect)).toEqual(['b', 'c']);
  });
});

describe('a disk that is nearly full', () => {
  it('is cleared even where nothing was updated, then at growing intervals', () => {
    const story = cramped(new Story());
    expect(kept(story.effect)).toEqual(['a', 'f']);
    story.happens({ type: 'collected', images: [], bytes: 0, problem: FULL });
    expect(cramped(story).effect).toBeNull();
    for (let tries = 0; tries < 8; tries += 1) {
      cramped(story.waits(5_000));
      expect(story.effect?.kind).toBe('collect');
      story.happens({ type: 'collected', images: [], bytes: 0, problem: FULL });
    }
  });

  it('is cleared before the stack is mended: it may be what the fault is from', () => {
    const seen = { desired: wanted('a'), faults: [STOPPED], cramped: true };
    expect(new Story().happens({ type: 'observed', seen }).effect?.kind).toBe('collect');
  });

  it('makes a line of history where images had to go, and none where only files did', () => {
    const story = cramped(new Story());
    story.happens({ type: 'collected', images: ['old:1', 'old:2'], bytes: 52_428_800, problem: null });
    expect(story.history).toMatchObject([{ event: 'collected', detail: '50 MiB freed: old:1, old:2' }]);
    expect(cramped(story).tidies().history).toHaveLength(1);
  });
});

describe('an update that does not fit', () => {
  const incoming = (next: Deployment) => ({ type: 'fetched', deployment: next, counter: null }) as const;

  it('is tried once more when room was made, with what was fetched already', () => {
    const story = new Story()
      .runs(wanted('b'))
      .happens(incoming(deployment('b')))
      .fails(FULL);
    expect(kept(story.effect)).toEqual(['a', 'b', 'f']);
    story.happens({ type: 'collected', images: ['old:1'], bytes: 1, problem: null });
    expect(story.effect).toEqual({ kind: 'pull', deployment: deployment('b'), cleared: true });
    expect(story.history.at(-1)).toMatchObject({ event: 'collected' });
    expect(story.happens({ type: 'pulled' }).journal.state.name).toBe('staged');
  });

  it('is put off, and not blamed, where that did not help (A6)', () => {
    const story = new Story().runs(wanted('b')).fails(FULL);
    expect(kept(story.effect)).toEqual(['a', 'f']);
    story.tidies();
    expect(story.effect?.kind).toBe('fetch');
    story.fails(FULL);
    expect(story.journal).toMatchObject({
      state: { name: 'idle' },
      delayed: { problem: FULL },
      quarantine: [],
    });
    expect(story.effect).toBeNull();
  });

  it('makes room once in each try', () => {
    const story = new Story().runs(wanted('b')).fails(FULL).tidies().fails(FULL).waits(100).runs(wanted('b'));
    expect(story.effect?.kind).toBe('fetch');
    expect(story.fails(FULL).effect?.kind).toBe('collect');
  });
});
