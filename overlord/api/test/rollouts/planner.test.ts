import { DEFAULT_STAGES, type Stage } from '@metrica-fleet/protocol';
import type { StageCounts } from '@metrica-fleet/protocol/api';
import { describe, expect, it } from 'vitest';
import { describeGate } from '../../src/rollouts/describe-gate.ts';
import { plan } from '../../src/rollouts/planner.ts';
import { NOBODY, type Rollout, type Seen, type Transition } from '../../src/rollouts/rollout.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

interface Look {
  /** Of the stage that is open. */
  readonly counts?: Partial<StageCounts>;
  /** Seconds since the open stage was opened. */
  readonly open?: number;
  /** Seconds that its gate has been met; absent: it is not. */
  readonly met?: number;
  /** Stages that were opened. Default 1. */
  readonly opened?: number;
  readonly state?: Rollout['state'];
  readonly roleDevices?: Seen['roleDevices'];
  readonly stages?: readonly Stage[];
}

function look({ counts, open = 60, met, opened = 1, ...rest }: Look): [Rollout, Seen, Date] {
  const ago = (seconds: number): string => new Date(START - seconds * 1_000).toISOString();
  const progress = Array.from({ length: opened }, (_, index) => ({
    openedAt: ago(open),
    metSince: index < opened - 1 ? ago(open) : met === undefined ? null : ago(met),
    standIn: null,
  }));
  const passed = { ...NOBODY, total: 1, healthy: 1 };
  const all = progress.map((_, index) => (index < opened - 1 ? passed : { ...NOBODY, ...counts }));
  return [
    { state: rest.state ?? 'running', stages: rest.stages ?? DEFAULT_STAGES, progress },
    { counts: all, roleDevices: rest.roleDevices ?? 'some' },
    new Date(START),
  ];
}

const manual = DEFAULT_STAGES.map((stage) => ({ ...stage, promotion: 'manual' as const }));

/** A situation, and what is to come of it. */
const TABLE: Readonly<Record<string, readonly [Look, Transition | null]>> = {
  'opens the canary stage first': [{ opened: 0 }, { kind: 'open', stage: 0 }],
  'is done at once when the role has no device': [{ opened: 0, roleDevices: 'none' }, { kind: 'done' }],
  'is done when the last device of the role has gone away': [
    { counts: { total: 0 }, roleDevices: 'none', opened: 3 },
    { kind: 'done' },
  ],
  'lets a device stand in where nobody is a canary': [{ counts: { total: 0 } }, { kind: 'stand-in' }],
  'waits when all devices of the role are held': [{ counts: { total: 0 }, roleDevices: 'held' }, null],
  'waits for a device that has not tried': [{ counts: { total: 2, healthy: 1, pending: 1 } }, null],
  'waits for a device that is at it': [{ counts: { total: 2, healthy: 1, updating: 1 } }, null],
  'does not wait for absent devices': [
    { counts: { total: 9, healthy: 1, pending: 8, offline: 8 } },
    { kind: 'soak', stage: 0 },
  ],
  'does not begin to soak on absence alone': [{ counts: { total: 2, pending: 2, offline: 2 } }, null],
  soaks: [{ counts: { total: 1, healthy: 1 }, met: 599 }, null],
  'opens the next stage after the soak': [
    { counts: { total: 1, healthy: 1 }, met: 600 },
    { kind: 'open', stage: 1 },
  ],
  'waits for a person where promotion is by hand': [
    { counts: { total: 1, healthy: 1 }, met: 90_000, stages: manual },
    null,
  ],
  'passes a stage without a device at once': [
    { opened: 2, counts: {} },
    { kind: 'open', stage: 2 },
  ],
  'is done after the last stage': [{ opened: 3, counts: { total: 5, healthy: 5 }, met: 0 }, { kind: 'done' }],
  'halts with the first failure of a canary': [
    { counts: { total: 20, failed: 1, pending: 19 } },
    { kind: 'halt', stage: 0 },
  ],
  'bears failures within the threshold': [
    { opened: 3, counts: { total: 100, healthy: 95, failed: 5 } },
    { kind: 'soak', stage: 2 },
  ],
  'halts with the failure that exceeds the threshold, whoever is still to try': [
    { opened: 3, counts: { total: 1_000, healthy: 94, failed: 6, pending: 900 } },
    { kind: 'halt', stage: 2 },
  ],
  'halts while it is paused, too': [
    { state: 'paused', counts: { total: 2, failed: 1, healthy: 1 } },
    { kind: 'halt', stage: 0 },
  ],
  'does nothing else while it is paused': [
    { state: 'paused', counts: { total: 1, healthy: 1 }, met: 9_999 },
    null,
  ],
  'begins the soak anew when a device has come back': [
    { counts: { total: 2, healthy: 1, pending: 1 }, met: 300 },
    { kind: 'break-soak', stage: 0 },
  ],
  'is not disturbed by a few that come back, where the threshold would bear them': [
    { opened: 3, counts: { total: 100, healthy: 96, pending: 4 }, met: 0 },
    { kind: 'done' },
  ],
  'pauses when nobody has tried in time': [
    { counts: { total: 2, pending: 2, offline: 2 }, open: 86_400 },
    {
      kind: 'pause',
      reason: 'No device of canary has tried the release in its time (2 of 2 are offline)',
    },
  ],
  'pauses when a reachable canary has not come to an end in time': [
    { counts: { total: 2, healthy: 1, updating: 1 }, open: 86_400 },
    {
      kind: 'pause',
      reason: '1 reachable device of canary has not come to an end with the release in its time',
    },
  ],
  'goes on without the last few when the time is over': [
    { opened: 3, counts: { total: 100, healthy: 96, pending: 4 }, open: 86_400 },
    { kind: 'soak', stage: 2 },
  ],
  'pauses when all devices of the role are held for the whole time': [
    { counts: {}, roleDevices: 'held', open: 86_400 },
    {
      kind: 'pause',
      reason: 'No device of canary has tried the release in its time (0 of 0 are offline)',
    },
  ],
  'leaves a halted rollout alone': [{ state: 'halted', counts: { total: 1, failed: 1 } }, null],
  'leaves a finished rollout alone': [{ state: 'done', opened: 3, counts: { total: 1, failed: 1 } }, null],
  'leaves a superseded rollout alone': [{ state: 'superseded', opened: 0 }, null],
};

describe('the planner', () => {
  for (const [title, [situation, expected]] of Object.entries(TABLE)) {
    it(`a rollout ${title}`, () => expect(plan(...look(situation))).toEqual(expected));
  }

  it('halts for a canary that fails late, when the next stage is open already', () => {
    const [rollout, seen, now] = look({ opened: 2, counts: { total: 10, pending: 10 } });
    const late = { ...seen, counts: [{ ...NOBODY, total: 2, healthy: 1, failed: 1 }, NOBODY] };
    expect(plan(rollout, late, now)).toEqual({ kind: 'halt', stage: 0 });
  });
});

describe('the gate in words', () => {
  const sentence = (situation: Look, index = 0): string => {
    const [rollout, seen] = look(situation);
    return describeGate(rollout, index, seen.counts[index]);
  };

  it('says for whom it waits, and for whom it does not', () => {
    expect(sentence({ counts: { total: 9, healthy: 2, updating: 3, pending: 4, offline: 4 } })).toBe(
      'Waits for 3 reachable, not for 4 offline; 2 healthy and 0 failed of 2 that tried; at most 0 % may fail.',
    );
  });

  it('says that all are away', () => {
    expect(sentence({ counts: { total: 2, pending: 2, offline: 2 } })).toBe(
      'Waits for the first device to try it; 2 devices offline.',
    );
  });

  it('says how long it soaks, and who goes on', () => {
    const counts = { total: 3, healthy: 3 };
    expect(sentence({ counts, met: 1 })).toBe(
      '3 healthy and 0 failed of 3 that tried; at most 0 % may fail; soaks for 10 min.',
    );
    expect(sentence({ counts, met: 1, stages: manual })).toContain('then waits to be promoted.');
  });

  it('says what exceeded it', () => {
    expect(sentence({ counts: { total: 4, healthy: 1, failed: 3 } })).toBe(
      '3 of 4 that tried failed; at most 0 % may fail.',
    );
  });

  it('says what a stage waits for that is not open', () => {
    expect(sentence({}, 1)).toBe('Waits for canary.');
    expect(sentence({ state: 'halted' }, 1)).toBe('Was never opened.');
  });
});
