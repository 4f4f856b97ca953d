import type { Problem, Status } from '@metrica-fleet/protocol';
import { describe, expect, it } from 'vitest';
import { patternOf } from '../../src/rollouts/pattern.ts';
import { standingOf } from '../../src/rollouts/standing.ts';

const OLD = { role: 'web', commit: 'a'.repeat(40), digest: null };
const NEW = { role: 'web', commit: 'b'.repeat(40), digest: null };
const OTHER_ROLE = { ...NEW, role: 'camera' };
const UNHEALTHY: Problem = { code: 'health-failed', what: 'nginx is not healthy.' };

type Said = Parameters<typeof standingOf>[0];
const said = (status: Partial<Said>): Said => ({
  state: 'idle',
  health: 'healthy',
  running: OLD,
  wanted: OLD,
  refused: null,
  problems: [],
  ...status,
});

const TABLE: Readonly<Record<string, readonly [Partial<Status>, string]>> = {
  'has not heard of it': [{}, 'pending'],
  'waits to try it again after a fault of the network': [
    { wanted: NEW, problems: [{ code: 'image-unreachable', what: 'No route' }] },
    'pending',
  ],
  'fetches it': [{ wanted: NEW, state: 'staging', health: 'updating' }, 'updating'],
  'watches whether it stays up': [{ wanted: NEW, state: 'probation', health: 'updating' }, 'updating'],
  'goes back from it': [{ wanted: NEW, state: 'reverting', health: 'updating' }, 'updating'],
  'runs it and is well': [{ wanted: NEW, running: NEW }, 'healthy'],
  'runs it with something broken': [{ wanted: NEW, running: NEW, health: 'degraded' }, 'updating'],
  'has refused it and runs the former one': [{ wanted: NEW, refused: UNHEALTHY }, 'failed'],
  'has refused an older one': [{ wanted: OLD, refused: UNHEALTHY }, 'pending'],
  'ended in safe mode because of it': [
    { wanted: NEW, running: null, state: 'safe', health: 'failed', problems: [UNHEALTHY] },
    'failed',
  ],
  'was in safe mode by order': [
    {
      wanted: NEW,
      running: null,
      state: 'safe',
      health: 'failed',
      problems: [{ code: 'safe-mode-ordered', what: 'Safe mode was ordered' }],
    },
    'pending',
  ],
  'runs another role of the same commit': [{ wanted: OTHER_ROLE, running: OTHER_ROLE }, 'pending'],
};

describe('a device in a rollout', () => {
  for (const [title, [status, state]] of Object.entries(TABLE)) {
    it(`is ${state} when it ${title}`, () => expect(standingOf(said(status), NEW).state).toBe(state));
  }

  it('says why it failed', () => {
    expect(standingOf(said({ wanted: NEW, refused: UNHEALTHY }), NEW).problem).toEqual(UNHEALTHY);
  });
});

describe('the pattern of failures', () => {
  const failure = { problem: UNHEALTHY, model: 'Raspberry Pi 4 Model B', before: 'aaaaaaa' };

  it('names error, hardware and former version where all share them', () => {
    expect(patternOf([failure, failure], 3, 'canary')).toBe(
      '2 of 3 devices that tried it in canary failed, with health-failed («nginx is not healthy»), ' +
        'all on Raspberry Pi 4 Model B, all coming from aaaaaaa',
    );
  });

  it('names the most common error, and nothing that is not shared', () => {
    const other = {
      problem: { code: 'start-failed', what: 'Port taken' } as const,
      model: null,
      before: null,
    };
    expect(patternOf([other, failure, failure], 3, 'early')).toBe(
      '3 of 3 devices that tried it in early failed, 2 of them with health-failed («nginx is not healthy»)',
    );
  });

  it('makes no pattern of a single device', () => {
    expect(patternOf([failure], 1, 'canary')).toBe(
      '1 of 1 devices that tried it in canary failed, with health-failed («nginx is not healthy»)',
    );
  });
});
