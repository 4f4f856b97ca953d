import type { DeviceSummary } from '@metrica-fleet/protocol/api';
import { expect, it } from 'vitest';
import { joiningSteps } from '../src/pages/enrol/joining-steps.ts';

const DEVICE: DeviceSummary = {
  id: '11111111-1111-4111-8111-111111111111',
  name: 'front-door',
  membership: 'active',
  state: 'pending',
  role: 'camera',
  site: null,
  segment: 'general',
  running: null,
  wanted: null,
  problem: null,
  lastSeenAt: null,
  agentVersion: null,
};
const seen = { lastSeenAt: '2026-01-01T00:00:00Z' };
const statesOf = (device: DeviceSummary | null) => joiningSteps(device).map(({ state }) => state);

it('waits for the first contact before anything else', () => {
  expect(statesOf(null)).toEqual(['current', 'waiting', 'waiting', 'waiting']);
});

it('is done when the device is healthy in its role', () => {
  expect(statesOf({ ...DEVICE, ...seen, state: 'healthy' })).toEqual(['done', 'done', 'done', 'done']);
});

it('goes on only when somebody has approved a device that waits', () => {
  const steps = joiningSteps({ ...DEVICE, membership: 'waiting' });
  expect(steps.map(({ state }) => state)).toEqual(['done', 'current', 'waiting', 'waiting']);
  expect(steps[1]?.note).toContain('approval');
});

it('shows where a device ended that was revoked, or that failed, and why', () => {
  expect(statesOf({ ...DEVICE, membership: 'revoked' })).toEqual(['done', 'failed', 'waiting', 'waiting']);
  const failed = joiningSteps({ ...DEVICE, ...seen, state: 'failed', problem: 'The card is full.' });
  expect(failed.at(-1)).toMatchObject({ state: 'failed', note: 'The card is full.' });
});

it('says that a device without a role needs one', () => {
  expect(joiningSteps({ ...DEVICE, ...seen, role: null }).at(-1)).toMatchObject({
    state: 'current',
    text: 'A role: give it one on its page',
  });
});
