import type { ServiceExpectation } from '../../decide/journal.ts';
import { serviceState } from '../../decide/service-state.ts';
import type { Container } from '../../ports/engine.ts';

export interface ChangedServices {
  /** To create, recreate, start or run again, sorted. */
  readonly toStart: readonly string[];
  /** Those of them whose containers go first: Compose takes one that keeps restarting for one that runs. Sorted. */
  readonly toReplace: readonly string[];
  /** Services that have containers and are not expected any more, sorted. */
  readonly removed: readonly string[];
}

/**
 * What an activation must touch, and nothing else. Left alone are services of which a container with the same inputs
 * runs, healthy or not (the gate judges that), and one-shots that have exited 0 or are still at it.
 */
export function changedServices(
  expectations: Readonly<Record<string, ServiceExpectation>>,
  containers: readonly Container[],
): ChangedServices {
  const toStart = Object.entries(expectations)
    .filter(([service, expectation]) => {
      const { kind } = serviceState(service, expectation, containers);
      return kind !== 'well' && kind !== 'starting' && kind !== 'unhealthy';
    })
    .map(([service]) => service);
  const toReplace = toStart.filter((service) => {
    const expectation = expectations[service];
    return expectation !== undefined && serviceState(service, expectation, containers).kind === 'restarting';
  });
  const removed = containers
    .map(({ service }) => service)
    .filter((service) => expectations[service] === undefined);
  return { toStart: toStart.sort(), toReplace: toReplace.sort(), removed: [...new Set(removed)].sort() };
}
