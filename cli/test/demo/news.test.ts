import type { DeviceState, RolloutStage, RolloutSummary } from '@metrica-fleet/protocol/api';
import { describe, expect, it } from 'vitest';
import { newsOf, type Look } from '../../src/demo/news.ts';

const stage = (name: string, state: RolloutStage['state'], gate: string): RolloutStage => ({
  name,
  segment: 'canary',
  state,
  soakSeconds: 5,
  maxFailedPercent: 0,
  promotion: 'automatic',
  openedAt: null,
  soakEndsAt: null,
  counts: { total: 1, pending: 0, updating: 0, healthy: 1, failed: 0, offline: 0 },
  gate,
});
const rollout = (changes: Partial<RolloutSummary>): RolloutSummary => ({
  id: 'one',
  role: 'door-sign',
  release: 'r',
  commit: 'abcdef0123456789abcdef0123456789abcdef01',
  subject: 'A fresh page',
  author: 'Ada',
  from: null,
  state: 'running',
  reason: null,
  createdBy: 'overlord',
  createdAt: '2020-01-01T00:00:00Z',
  finishedAt: null,
  stages: [],
  ...changes,
});
const look = (
  rollouts: readonly RolloutSummary[],
  states: Readonly<Record<string, DeviceState>> = {},
): Look => ({
  rollouts,
  states: new Map(Object.entries(states)),
  events: [],
});

describe('what is told of rollouts', () => {
  it('is the new one, by whom it is, and the stage that it opens', () => {
    const open = rollout({
      stages: [stage('canary', 'open', 'Waits for 1.'), stage('early', 'waiting', 'Later.')],
    });
    expect(newsOf(look([]), look([open]))).toEqual([
      'door-sign abcdef0 rolls out: A fresh page',
      'door-sign abcdef0 canary open: Waits for 1.',
    ]);
  });

  it('is what a gate says, when it says something new', () => {
    const before = look([rollout({ stages: [stage('canary', 'open', 'Waits for 1.')] })]);
    const after = look([rollout({ stages: [stage('canary', 'soaking', '1 healthy.')] })]);
    expect(newsOf(before, after)).toEqual(['door-sign abcdef0 canary soaking: 1 healthy.']);
    expect(newsOf(after, after)).toEqual([]);
  });

  it('is its end, with the reason of a halt', () => {
    const halted = rollout({ state: 'halted', reason: '1 of 1 failed' });
    expect(newsOf(look([rollout({})]), look([halted]))).toEqual([
      'door-sign abcdef0 IS HALTED, who took it goes back: 1 of 1 failed',
    ]);
    expect(newsOf(look([rollout({})]), look([rollout({ state: 'done' })]))).toEqual([
      'door-sign abcdef0 has reached everybody',
    ]);
  });

  it('is not what a passed stage measures afterwards', () => {
    const before = look([rollout({ stages: [stage('canary', 'passed', '1 healthy.')] })]);
    const after = look([rollout({ stages: [stage('canary', 'passed', 'Waits for 1.')] })]);
    expect(newsOf(before, after)).toEqual([]);
  });

  it('comes in the order in which it began', () => {
    const newest = rollout({ id: 'two', role: 'menu-board', subject: 'Newest' });
    expect(newsOf(look([]), look([newest, rollout({})]))).toEqual([
      'door-sign abcdef0 rolls out: A fresh page',
      'menu-board abcdef0 rolls out: Newest',
    ]);
  });
});

describe('what is told of devices', () => {
  it('is trouble, and that it is over, not every update', () => {
    const before = look([], { a: 'healthy', b: 'offline', c: 'healthy', d: 'failed' });
    const after = look([], { a: 'offline', b: 'healthy', c: 'updating', d: 'failed' });
    expect(newsOf(before, after)).toEqual(['a is offline', 'b is no longer offline']);
  });

  it('is that they went back, once', () => {
    const text = 'Went back to door-sign@da51190d941a – The service «web» crashed.\nIts last lines';
    const event = { id: '7', kind: 'reverted', deviceName: 'a', text } as const;
    const after: Look = { ...look([]), events: [event] };
    expect(newsOf(look([]), after)).toEqual(['a went back to door-sign@da51190d941a']);
    expect(newsOf(after, after)).toEqual([]);
  });

  it('names a few of many', () => {
    const names = Array.from({ length: 7 }, (_, index) => `pi-${index}`);
    const all = (state: DeviceState): Look =>
      look([], Object.fromEntries(names.map((name) => [name, state])));
    expect(newsOf(all('healthy'), all('offline'))).toEqual([
      'pi-0, pi-1, pi-2, pi-3, pi-4 and 2 more are offline',
    ]);
  });
});
