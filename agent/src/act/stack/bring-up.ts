import { FleetError, problemOf } from '@metrica-fleet/protocol';
import type { Deployment, Gate } from '../../decide/journal.ts';
import type { Container } from '../../ports/engine.ts';
import type { Context } from '../context.ts';
import { withBound } from './bonds.ts';
import { changedServices } from './changed.ts';
import type { StackPlan } from './prepare.ts';
import { startServices } from './start.ts';

/** The pseudo-role that every device may run beside its own; see `common/`. */
export const COMMON = 'common';

/**
 * Brings the device's stack to a plan: stops the stacks of other roles, removes what the plan no longer has, starts
 * what changed, and leaves the rest alone. Removal comes first, since a renamed service needs the former one's port.
 */
export async function bringUp(
  { ports }: Pick<Context, 'ports'>,
  plan: StackPlan,
): Promise<{ readonly gate: Gate }> {
  const { engine, log } = ports;
  const { role, model, services } = plan;
  for (const project of await engine.projects()) {
    if (project === role.name || project === COMMON) continue;
    log.notice('Stopping the stack of another role', { project });
    await engine.down('up.other-role', project);
  }
  // Asked first: what happens to the engine from here on counts as a disturbance of the gate.
  const life = await engine.life();
  const before = await engine.containers(role.name);
  const { toStart, toReplace, removed } = changedServices(services, before);
  const starting = withBound(model, toStart).filter((service) => services[service] !== undefined);
  if (removed.length > 0) await engine.removeServices('up.removed', role.name, removed);
  if (role.update?.strategy === 'stop-first')
    await engine.removeServices('up.stop-first', role.name, starting);
  await engine.removeServices('up.restarting', role.name, toReplace);
  if (starting.length > 0 || removed.length > 0) log.notice('Changing the stack', { starting, removed });
  try {
    await startServices({ ports }, { label: 'up.services', model, services: starting });
  } catch (thrown) {
    throw life !== null && (await engine.life()) !== life ? engineRestarted(thrown) : thrown;
  }
  return { gate: { ...openedGate(ports.clock.now(), before), ...(life === null ? {} : { engine: life }) } };
}

/** What Compose says when its engine dies under it has many words, and none of them is about the release. */
function engineRestarted(cause: unknown): FleetError {
  return new FleetError(
    {
      code: 'docker-unreachable',
      what: `The Docker engine was restarted while the stack was changed: ${problemOf(cause).what}`,
      where: '/var/run/docker.sock',
      remedy: 'Look at `journalctl -u docker`; it is tried again.',
    },
    { cause },
  );
}

/**
 * A gate that opens now. The baseline is what was there before: a container that has been started since counts from
 * zero, so that a crash in its first second is not taken for its past.
 */
function openedGate(now: Gate['opened'], before: readonly Container[]): Gate {
  const restarts = Object.fromEntries(before.map((container) => [container.id, container.restarts]));
  return { opened: now, goodSince: null, restarts, reboots: 0 };
}

/** Stops a deployment's stack. Its state and volumes stay. */
export async function stopStack({ ports }: Pick<Context, 'ports'>, { release }: Deployment): Promise<void> {
  await ports.engine.down('up.stop', release.role);
}
