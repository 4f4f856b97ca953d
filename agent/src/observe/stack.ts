import { join } from 'node:path/posix';
import { serviceState, type ServiceState } from '../decide/service-state.ts';
import type { Deployment } from '../decide/journal.ts';
import type { Fault } from '../decide/vocabulary.ts';
import type { Paths } from '../paths.ts';
import type { Container } from '../ports/engine.ts';
import type { Ports } from '../ports/ports.ts';

/** A running stack as it was seen. */
export interface Stack {
  readonly containers: readonly Container[];
  /** What is not as the deployment wants it, worst first. */
  readonly faults: readonly Fault[];
}

/** What each state of a service is as a fault. One that is on its way is none: the next run looks again. */
const FAULTS: Readonly<Record<ServiceState['kind'], Fault['kind'] | null>> = {
  missing: 'missing',
  stopped: 'stopped',
  outdated: 'outdated',
  restarting: 'unhealthy',
  unhealthy: 'unhealthy',
  starting: null,
  well: null,
};

const ORDER: readonly Fault['kind'][] = [
  'release-lost',
  'dangling-link',
  'missing',
  'stopped',
  'outdated',
  'unhealthy',
];

/** Looks at the containers and at `app_current`. Throws `docker-unreachable` and the like when the engine does not answer. */
export async function observeStack(
  { ports, paths }: { readonly ports: Pick<Ports, 'disk' | 'engine'>; readonly paths: Paths },
  deployment: Deployment,
): Promise<Stack> {
  const containers = await ports.engine.containers(deployment.release.role);
  const services = Object.entries(deployment.services).flatMap(([subject, expectation]): Fault[] => {
    const { kind, detail } = serviceState(subject, expectation, containers);
    const fault = FAULTS[kind];
    return fault === null ? [] : [{ kind: fault, subject, detail }];
  });
  const faults = [...(await linkFaults(ports, paths, deployment)), ...services];
  return { containers, faults: faults.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind)) };
}

async function linkFaults(
  { disk }: Pick<Ports, 'disk'>,
  paths: Paths,
  { release }: Deployment,
): Promise<readonly Fault[]> {
  const wanted = join(paths.releases, release.digest);
  if ((await disk.stat(wanted))?.kind !== 'folder') {
    return [{ kind: 'release-lost', subject: wanted, detail: 'is gone from the disk' }];
  }
  const target = await disk.readLink(paths.current);
  const subject = paths.current;
  if (target !== wanted) {
    return [
      { kind: 'dangling-link', subject, detail: target === null ? 'is not a link' : `points to ${target}` },
    ];
  }
  return [];
}
