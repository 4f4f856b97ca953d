import type { Problem } from '@metrica-fleet/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import type { Effect, Event } from '../../src/decide/vocabulary.ts';
import { CONTENT, deployment, ENVIRONMENT, STOPPED, Story, wanted } from './story.ts';

/** What may come of an effect in this world: success, or either kind of failure; a pull may also go on. */
function outcome(effect: Effect, luck: number, story: Story): Event | null {
  if (effect.kind === 'enter-safe') return null;
  if (effect.kind === 'collect')
    return { type: 'collected', images: [], bytes: 0, problem: luck < 2 ? ENVIRONMENT : null };
  if (luck === 0) return { type: 'failed', problem: CONTENT };
  if (luck === 4 && effect.kind !== 'judge') return { type: 'failed', problem: FULL };
  if (luck === 1) return { type: 'failed', problem: ENVIRONMENT };
  switch (effect.kind) {
    case 'fetch':
      return { type: 'fetched', deployment: deployment(effect.wanted.commit.charAt(0)), counter: null };
    case 'pull':
      return luck === 2 ? { type: 'pulling' } : { type: 'pulled' };
    case 'mark':
      return { type: 'marked' };
    case 'activate':
      return { type: 'activated', gate: story.gate() };
    case 'judge':
      if (luck === 3) return { type: 'disturbed' };
      return luck === 2 ? { type: 'waiting', gate: effect.gate } : { type: 'passed' };
    case 'revert':
      return effect.to === null ? { type: 'passed' } : { type: 'activated', gate: story.gate() };
    case 'repair':
      return luck === 2 ? { type: 'mending' } : { type: 'repaired', detail: 'web stopped: started' };
  }
}

/** There is no room. */
const FULL: Problem = { code: 'no-space', what: 'no room' };

interface Chapter {
  readonly wants: string;
  /** What becomes of each effect, see `outcome`. */
  readonly luck: readonly number[];
  /** After how many effects the run is cut short. */
  readonly crash: number;
  readonly reboot: boolean;
  readonly broken: boolean;
  readonly pause: number;
}

const chapter: fc.Arbitrary<Chapter> = fc.record({
  wants: fc.constantFrom('a', 'b', 'c', 'd'),
  luck: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 }),
  crash: fc.integer({ min: 1, max: 12 }),
  reboot: fc.boolean(),
  broken: fc.boolean(),
  pause: fc.integer({ min: 1, max: 4_000 }),
});

/** One run, cut short after `crash` effects. Asserts what must hold at every step. */
function tell(story: Story, { wants, luck, crash, reboot, broken, pause }: Chapter): void {
  if (reboot) story.reboots();
  story.waits(pause).runs(wanted(wants), broken ? [STOPPED] : []);
  for (let step = 0; step < crash && story.effect !== null; step += 1) {
    const before = story.journal;
    holds(before, story.effect);
    const event = outcome(story.effect, luck[step % luck.length] ?? 9, story);
    if (event === null) return;
    story.happens(event);
    expect(
      story.journal.current === before.current || event.type === 'passed' || before.current !== null,
    ).toBe(true);
  }
}

function holds(journal: Journal, effect: Effect): void {
  const quarantined = new Set(journal.quarantine.map(({ key }) => key));
  // A5: what is quarantined is never fetched, activated or judged on its way in.
  if (effect.kind === 'fetch') expect(quarantined.has(effect.key)).toBe(false);
  if (
    effect.kind === 'activate' &&
    journal.state.name === 'activating' &&
    journal.state.revertedFor === null
  ) {
    expect(quarantined.has(effect.deployment.key)).toBe(false);
  }
  // A3: going back leads to a deployment that has passed its gate, never to the one that failed.
  if (effect.kind === 'revert') expect(effect.to?.key).not.toBe(effect.failed.key);
}

it('whatever happens, a device that is left in peace settles on what is wanted or says why not (A1, A3, A5, A10)', () => {
  fc.assert(
    fc.property(fc.array(chapter, { maxLength: 30 }), (chapters) => {
      const story = new Story(EMPTY_JOURNAL);
      for (const one of chapters) tell(story, one);
      // From here on all goes well. A bounded number of runs must be enough.
      for (let run = 0; run < 40; run += 1) {
        tell(story, { wants: 'e', luck: [9], crash: 20, reboot: false, broken: false, pause: 4_000 });
        if (story.journal.state.name === 'idle' && story.journal.current?.key === deployment('e').key) return;
      }
      expect.fail(`stuck in ${JSON.stringify(story.journal.state)}`);
    }),
    { numRuns: 2_000 },
  );
});
