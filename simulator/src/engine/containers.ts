import type { ComposeModel, ComposeService, Container } from '@metrica-fleet/agent';
import { fateOf, lookAt, restartOf, type Fate } from './life.ts';
import { portOf } from './long-syntax.ts';

/** Labels by which the agent knows its containers again. */
export const ROLE_LABEL = 'io.metrica-fleet.role';
const INPUTS_LABEL = 'io.metrica-fleet.inputs';

/** Exit code of what was killed with the power or by hand. */
const KILLED = 137;

/** A container on the card of a device: it outlives a reboot. */
export interface Stored {
  readonly id: string;
  readonly project: string;
  readonly service: string;
  readonly definition: ComposeService;
  readonly fate: Fate;
  /** Uptime in seconds at its last start in this boot; null while it does not run. */
  started: number | null;
  /** What it ended with before, where it does not run. */
  exitCode: number;
}

export interface Birth {
  readonly id: string;
  readonly model: ComposeModel;
  readonly service: string;
  /** Seconds until it answers. */
  readonly ready: number;
  /** Uptime in seconds. */
  readonly now: number;
}

/** A new container of a service, started. */
export function bear({ id, model, service, ready, now }: Birth): Stored {
  const definition = model.services[service] ?? {};
  const awaited = Object.values(model.services).some(
    ({ depends_on: needs = {} }) => needs[service]?.condition === 'service_completed_successfully',
  );
  const fate = fateOf(definition, { awaited, ready });
  return { id, project: model.name, service, definition, fate, started: now, exitCode: 0 };
}

/** The container as the engine reports it. */
export function reported(stored: Stored, now: number): Container {
  const { id, service, definition, fate, started, exitCode } = stored;
  const look =
    started === null
      ? ({ state: 'exited', health: null, exitCode, restarts: 0 } as const)
      : lookAt(fate, now - started, restartOf(definition));
  return {
    id,
    service,
    image: definition.image ?? '',
    inputs: definition.labels?.[INPUTS_LABEL] ?? null,
    mounts: (definition.volumes ?? []).flatMap(({ type, source }) =>
      type === 'bind' && source !== undefined ? [source] : [],
    ),
    ...look,
  };
}

/** What the engine makes of its containers when it comes up again, that many seconds after the boot. */
export function afterBoot(stored: Stored, { before, engineUp }: { before: number; engineUp: number }): void {
  const { state, exitCode } = reported(stored, before);
  const policy = restartOf(stored.definition);
  const again = state !== 'exited' && (policy === 'always' || policy === 'unless-stopped');
  stored.exitCode = state === 'exited' ? exitCode : KILLED;
  stored.started = again ? engineUp : null;
}

/** The ports of the host that a container publishes; null for those of the whole host. */
export function portsOf({ definition }: Stored): readonly number[] | null {
  if (definition['network_mode'] === 'host') return null;
  const ports = definition['ports'];
  return (Array.isArray(ports) ? ports : []).flatMap((port) => {
    const { published } = portOf(port);
    return published === undefined ? [] : [Number(published)];
  });
}
