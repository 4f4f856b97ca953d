import { describe, expect, it } from 'vitest';
import { MAX_HOPS } from '../../src/decide/brake.ts';
import { EMPTY_JOURNAL } from '../../src/decide/journal.ts';
import { CONTENT, deployment, ENVIRONMENT, RUNNING_A, Story, wanted } from './story.ts';

describe('an update that goes well', () => {
  it('walks staging, staged, activating, probation, idle, and keeps the former release as the way back', () => {
    const story = new Story().reaches('idle', 'b');
    expect(story.states).toEqual(['staging', 'staging', 'staged', 'activating', 'probation', 'idle']);
    expect(story.journal.current).toEqual(deployment('b'));
    expect(story.journal.previous).toEqual(deployment('a'));
    expect(story.effect).toEqual({ kind: 'collect', keep: [deployment('b'), deployment('a')] });
    expect(story.history.map(({ event }) => event)).toEqual([
      'update-started',
      'staged',
      'activated',
      'updated',
    ]);
  });

  it('installs the first release on an empty device', () => {
    const story = new Story(EMPTY_JOURNAL).reaches('idle', 'b');
    expect(story.journal.current).toEqual(deployment('b'));
    expect(story.journal.previous).toBeNull();
  });

  it('does nothing at all when what is wanted is in place', () => {
    const story = new Story().runs(wanted('a'));
    expect(story.effect).toBeNull();
    expect(story.journal).toBe(RUNNING_A);
  });

  it('ends the run while images are pulled, and goes on in a later one', () => {
    const story = new Story().reaches('staging', 'b');
    story.happens({ type: 'fetched', deployment: deployment('b'), counter: 7 }).happens({ type: 'pulling' });
    expect(story.effect).toBeNull();
    story.runs(wanted('b'));
    expect(story.effect).toMatchObject({ kind: 'pull' });
    expect(story.journal.counters).toEqual({ web: 7 });
  });

  it('takes the newest release when a newer one comes before the swap (skip to latest)', () => {
    const story = new Story().reaches('staged', 'b').runs(wanted('c'));
    expect(story.effect).toMatchObject({ kind: 'fetch', wanted: wanted('c') });
  });

  it('settles the release in probation before it looks at a newer one', () => {
    const story = new Story().reaches('probation', 'b').runs(wanted('c'));
    expect(story.effect).toMatchObject({ kind: 'judge', deployment: deployment('b') });
  });

  it('drops what is on its way when the fleet goes back to what runs', () => {
    const story = new Story().reaches('staged', 'b').runs(wanted('a'));
    expect(story.states.at(-1)).toBe('idle');
    expect(story.effect).toBeNull();
  });

  it.each(['staging', 'staged'] as const)(
    'drops a first release that was withdrawn while it was %s',
    (state) => {
      const story = new Story(EMPTY_JOURNAL).reaches(state, 'b');
      const seen = { desired: null, faults: [] };
      story.happens({ type: 'observed', seen: { ...seen, withdrawn: true } });
      expect(story.states.at(-1)).toBe('idle');
      expect(story.effect).toBeNull();
    },
  );

  it('goes on with what is on its way when no source says anything', () => {
    const story = new Story(EMPTY_JOURNAL).reaches('staged', 'b').runs(null);
    expect(story.effect).toMatchObject({ kind: 'mark' });
  });
});

describe('a crash', () => {
  const resumed = [
    ['staging', 'fetch'],
    ['staged', 'mark'],
    ['activating', 'activate'],
    ['probation', 'judge'],
  ] as const;
  for (const [state, effect] of resumed) {
    it(`in ${state} is continued with ${effect} (A4)`, () => {
      const story = new Story();
      if (state === 'staging') story.runs(wanted('b'));
      else story.reaches(state, 'b');
      expect(story.journal.state.name).toBe(state);
      story.runs(wanted('b'));
      expect(story.effect?.kind).toBe(effect);
    });
  }

  it('in reverting is continued with revert', () => {
    const story = new Story().reaches('probation', 'b').fails(CONTENT).runs(wanted('b'));
    expect(story.effect).toEqual({ kind: 'revert', failed: deployment('b'), to: deployment('a') });
  });

  it('by reboot while the stack is changed counts like one in probation (A8)', () => {
    const story = new Story().reaches('activating', 'b');
    for (const _ of [1, 2]) expect(story.reboots().runs(wanted('b')).effect?.kind).toBe('activate');
    expect(story.runs(wanted('b')).effect?.kind).toBe('activate');
    story.reboots().runs(wanted('b'));
    expect(story.journal.state).toMatchObject({ name: 'reverting', problem: { code: 'reboot-loop' } });
  });

  it('of the engine in probation opens the gate anew, and three of them fail it (A8)', () => {
    const story = new Story().reaches('probation', 'b');
    for (const round of [1, 2]) {
      story.happens({ type: 'disturbed' });
      expect(story.effect?.kind).toBe('activate');
      story.happens({ type: 'activated', gate: story.gate() });
      expect(story.journal).toMatchObject({
        quarantine: [],
        state: { name: 'probation', gate: { reboots: round } },
      });
    }
    story.happens({ type: 'disturbed' });
    expect(story.journal.state).toMatchObject({ name: 'reverting', problem: { code: 'reboot-loop' } });
  });

  it('by reboot in probation opens the gate anew, and three of them fail it (A8)', () => {
    const story = new Story().reaches('probation', 'b');
    for (const round of [1, 2]) {
      story.reboots().runs(wanted('b'));
      expect(story.effect?.kind).toBe('activate');
      story.happens({ type: 'activated', gate: story.gate() });
      expect(story.journal.state).toMatchObject({ name: 'probation', gate: { reboots: round } });
    }
    story.reboots().runs(wanted('b'));
    expect(story.journal.state).toMatchObject({ name: 'reverting', problem: { code: 'reboot-loop' } });
    expect(story.journal.quarantine).toMatchObject([{ key: deployment('b').key }]);
  });
});

describe('a bad release', () => {
  it('that fails before the swap changes nothing that runs, and is quarantined (A5)', () => {
    const story = new Story().runs(wanted('b')).fails({ code: 'compose-invalid', what: 'bad yaml' });
    expect(story.states.at(-1)).toBe('idle');
    expect(story.journal.current).toEqual(deployment('a'));
    expect(story.runs(wanted('b')).tidies().runs(wanted('b')).effect).toBeNull();
    expect(story.runs(wanted('c')).effect?.kind).toBe('fetch');
  });

  it('that fails its gate goes back to the former one, which has to pass its own gate', () => {
    const story = new Story().reaches('probation', 'b').fails(CONTENT);
    expect(story.effect).toEqual({ kind: 'revert', failed: deployment('b'), to: deployment('a') });
    story.happens({ type: 'activated', gate: story.gate() });
    expect(story.journal.state).toMatchObject({
      name: 'probation',
      next: deployment('a'),
      revertedFor: CONTENT,
    });
    story.happens({ type: 'passed' });
    expect(story.journal).toMatchObject({
      state: { name: 'idle' },
      current: deployment('a'),
      previous: deployment('f'),
    });
    expect(story.history.at(-1)).toMatchObject({ event: 'reverted', problem: CONTENT });
    expect(story.tidies().runs(wanted('b')).effect).toBeNull();
  });

  it('as the very first one is stopped, and the device waits for a better one', () => {
    const story = new Story(EMPTY_JOURNAL).reaches('probation', 'b').fails(CONTENT);
    expect(story.effect).toEqual({ kind: 'revert', failed: deployment('b'), to: null });
    story.happens({ type: 'passed' });
    expect(story.journal).toMatchObject({
      state: { name: 'safe' },
      current: null,
      safe: { problem: CONTENT },
    });
    expect(story.runs(wanted('b')).effect?.kind).toBe('enter-safe');
    expect(story.runs(wanted('c')).effect?.kind).toBe('fetch');
  });

  it('whose former release does not come up either ends in safe mode, which knows how it began (A21)', () => {
    const story = new Story().reaches('probation', 'b').fails(CONTENT);
    story.happens({ type: 'activated', gate: story.gate() }).fails({ ...CONTENT, what: 'web is away' });
    expect(story.journal.state.name).toBe('safe');
    expect(story.journal.current).toEqual(deployment('a'));
    expect(story.effect).toMatchObject({ kind: 'enter-safe', failed: deployment('a') });
    expect(story.journal.safe?.problem.what).toMatch(/^web is away\..*web is unhealthy$/);
  });

  it('cannot be reverted for a while: the way back is tried five times, one a run, then comes safe mode', () => {
    const story = new Story().reaches('probation', 'b').fails(CONTENT).fails(ENVIRONMENT);
    for (let tries = 2; tries <= 5; tries += 1) {
      expect(story.journal.state.name).toBe('reverting');
      story.runs(wanted('b')).fails(ENVIRONMENT);
    }
    expect(story.journal.state.name).toBe('safe');
  });
});

describe('a bad day that is not the release’s fault', () => {
  it('delays the update with a growing wait and quarantines nothing (A6)', () => {
    const story = new Story().runs(wanted('b')).fails(ENVIRONMENT);
    expect(story.journal.quarantine).toEqual([]);
    expect(story.runs(wanted('b')).effect).toBeNull();
    const first = story.journal.delayed?.wait ?? 0;
    story.waits(first).runs(wanted('b')).fails(ENVIRONMENT);
    expect(story.journal.delayed?.wait).toBeGreaterThan(first * 1.5);
  });

  it('is forgotten when the fleet goes back to what runs', () => {
    const story = new Story().runs(wanted('b')).fails(ENVIRONMENT).runs(wanted('a')).tidies();
    expect(story.journal).toEqual({ ...RUNNING_A, lines: story.history.length });
    expect(story.effect).toBeNull();
  });

  it('is forgotten when what runs has been fetched again', () => {
    const lost = { kind: 'release-lost', subject: '/opt', detail: 'is gone from the disk' } as const;
    const story = new Story().runs(wanted('a'), [lost]).fails(ENVIRONMENT).waits(3_600);
    story.runs(wanted('a'), [lost]).happens({
      type: 'fetched',
      deployment: deployment('a'),
      counter: null,
    });
    story.happens({ type: 'pulled' }).happens({ type: 'marked' });
    story.happens({ type: 'activated', gate: story.gate() }).happens({ type: 'passed' });
    expect(story.journal).toMatchObject({ state: { name: 'idle' }, delayed: null });
  });

  it('is forgotten by a reboot: the next try is at once', () => {
    const story = new Story().runs(wanted('b')).fails(ENVIRONMENT).reboots().runs(wanted('b'));
    expect(story.effect?.kind).toBe('fetch');
  });

  it('during the swap is tried again each minute, then the device goes back without blaming the release', () => {
    const story = new Story().reaches('activating', 'b').fails(ENVIRONMENT);
    for (let tries = 2; tries <= 5; tries += 1) {
      expect(story.journal.state.name).toBe('activating');
      story.runs(wanted('b')).fails(ENVIRONMENT);
    }
    expect(story.journal.state.name).toBe('reverting');
    expect(story.journal.quarantine).toEqual([]);
  });

  it('in probation leaves the verdict open', () => {
    const story = new Story()
      .reaches('probation', 'b')
      .fails({ code: 'docker-unreachable', what: 'no answer' });
    expect(story.journal.state.name).toBe('probation');
    expect(story.effect).toBeNull();
  });
});

describe('a loop', () => {
  it('of states is ended by a count, not by luck (A9)', () => {
    const story = new Story();
    for (let round = 0; round < MAX_HOPS * 2; round += 1) {
      const letter = round % 2 === 0 ? 'b' : 'c';
      story
        .runs(wanted(letter))
        .happens({ type: 'fetched', deployment: deployment(letter), counter: null })
        .happens({ type: 'pulled' });
      if (story.journal.quarantine.length > 0) break;
    }
    expect(story.journal.quarantine).toMatchObject([{ problem: { code: 'loop-detected' } }]);
  });
});
