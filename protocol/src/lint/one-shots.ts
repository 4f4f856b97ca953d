import { settingsOf } from './stacks.ts';
import type { Subject } from './subject.ts';
import type { Tree } from './tree.ts';
import { at, textAt } from './walk.ts';

/** Names of the services that run. */
export function serviceNames({ stacks }: Pick<Subject, 'stacks'>): ReadonlySet<string> {
  return new Set(stacks.filter(({ runs }) => runs).flatMap(({ services }) => [...services.keys()]));
}

/**
 * Services that are meant to end: never restarted and awaited with `service_completed_successfully`, or declared. The
 * agent decides the same from what Compose resolved.
 */
export function oneShotsOf({ role, stacks }: Subject): ReadonlySet<string> {
  const oneShots = new Set(role?.one_shots);
  const awaited = new Set(
    stacks.flatMap(({ services }) => [...services.values()].flatMap((service) => awaitedBy(service))),
  );
  for (const stack of stacks) {
    for (const name of stack.services.keys()) {
      if (awaited.has(name) && isNeverRestarted(settingsOf(stacks, stack, name))) oneShots.add(name);
    }
  }
  return oneShots;
}

function awaitedBy(service: Tree): string[] {
  return [...(at(service, 'depends_on')?.fields ?? [])]
    .filter(([, dependency]) => textAt(at(dependency, 'condition')) === 'service_completed_successfully')
    .map(([name]) => name);
}

function isNeverRestarted(settings: ReadonlyMap<string, Tree>): boolean {
  const restart = textAt(settings.get('restart'));
  // YAML 1.1 would read a bare `no` as false, and so do people.
  if (restart !== null) return restart === 'no' || restart === 'false';
  const condition = textAt(at(settings.get('deploy'), 'restart_policy', 'condition'));
  return at(settings.get('deploy'), 'restart_policy') === undefined || condition === 'none';
}
