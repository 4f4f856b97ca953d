import type { Container } from '../ports/engine.ts';
import type { ServiceExpectation } from './journal.ts';

/** How a service is, compared with what its deployment expects. */
export interface ServiceState {
  readonly kind: 'well' | 'starting' | 'missing' | 'outdated' | 'stopped' | 'restarting' | 'unhealthy';
  /** What was seen, for people; follows the name of the service in a sentence. */
  readonly detail: string;
}

/** From worst to best: with several containers, a service is as well as its worst one. */
const ORDER: readonly ServiceState['kind'][] = [
  'missing',
  'stopped',
  'restarting',
  'outdated',
  'unhealthy',
  'starting',
  'well',
];

/**
 * The one rule for how a service is: activation asks it what to start, the gate what to wait for, idle what to repair.
 * `containers` may be those of the whole project.
 */
export function serviceState(
  service: string,
  expectation: ServiceExpectation,
  containers: readonly Container[],
): ServiceState {
  const states = containers
    .filter((container) => container.service === service)
    .map((container) => stateOf(container, expectation))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  return states[0] ?? { kind: 'missing', detail: 'has no container' };
}

function stateOf(container: Container, { inputs, oneShot }: ServiceExpectation): ServiceState {
  if (container.inputs !== inputs) return { kind: 'outdated', detail: 'was started from other inputs' };
  return oneShot ? oneShotState(container) : lastingState(container);
}

function oneShotState({ state, exitCode }: Container): ServiceState {
  if (state === 'exited' && exitCode === 0) return { kind: 'well', detail: 'has ended well' };
  if (state === 'exited' || state === 'dead')
    return { kind: 'stopped', detail: `ended with exit code ${exitCode}` };
  if (state === 'created') return { kind: 'stopped', detail: 'was created and never started' };
  return { kind: 'starting', detail: `has not ended yet (${state})` };
}

function lastingState({ state, exitCode, health }: Container): ServiceState {
  switch (state) {
    case 'running':
      if (health === 'unhealthy') return { kind: 'unhealthy', detail: 'fails its healthcheck' };
      if (health === 'starting') return { kind: 'starting', detail: 'has not passed its healthcheck yet' };
      return { kind: 'well', detail: health === 'healthy' ? 'runs and is healthy' : 'runs' };
    case 'restarting':
      return { kind: 'restarting', detail: `keeps restarting (exit code ${exitCode})` };
    case 'created':
      return { kind: 'stopped', detail: 'was created and never started' };
    // A paused container cannot be started, only restarted, hence not «stopped».
    case 'paused':
      return { kind: 'unhealthy', detail: 'is paused' };
    case 'removing':
      return { kind: 'missing', detail: 'is being removed' };
    case 'exited':
    case 'dead':
      return { kind: 'stopped', detail: `stopped with exit code ${exitCode}` };
  }
}
