import { ROLE_DEFAULTS, seconds, type Problem } from '@metrica-fleet/protocol';
import { join } from 'node:path/posix';
import { judgeHealth, worthProbing, type HealthSettings, type Judgement } from '../decide/health.ts';
import type { Gate, ServiceExpectation } from '../decide/journal.ts';
import type { Effect, Event } from '../decide/vocabulary.ts';
import type { Container, Engine } from '../ports/engine.ts';
import type { Context } from './context.ts';
import { failingProbes } from './probes.ts';
import { readRole } from './stack/role-file.ts';

/** Milliseconds between samples. */
const PERIOD = 1_000;
/** How much of a service's log goes into a problem. */
const LOG = { lines: 20, bytes: 2_048 } as const;

type Services = Readonly<Record<string, ServiceExpectation>>;

/** Watches the health gate for as long as a run may take, then leaves what it learned to the next run. */
export async function judge(
  { deployment, gate: opened }: Extract<Effect, { kind: 'judge' }>,
  { ports, paths, budget }: Context,
): Promise<Event> {
  const { clock, engine } = ports;
  const role = await readRole(ports.disk, join(paths.releases, deployment.release.digest));
  const settings = settingsOf(role.health);
  const start = clock.now().uptime;
  let gate: Gate = opened;
  for (;;) {
    const containers = await engine.containers(deployment.release.role);
    const services = expectationsOf(deployment.services, containers);
    const probes = worthProbing({ services, containers })
      ? await failingProbes(ports, role.health?.probes ?? [], containers)
      : [];
    const judgement = judgeHealth({ gate, services, containers, probes, settings, now: clock.now() });
    if (judgement.verdict === 'passed') return { type: 'passed' };
    if (judgement.verdict === 'failed') {
      if (await hasRestarted(engine, gate)) return { type: 'disturbed' };
      return { type: 'failed', problem: await withLog({ ports }, judgement, containers) };
    }
    ({ gate } = judgement);
    ports.log.debug('Health gate', { why: judgement.why });
    if ((clock.now().uptime - start) * 1_000 + PERIOD > budget) return { type: 'waiting', gate };
    await clock.sleep(PERIOD);
  }
}

/** Asked of what failed only: a restart of the engine that the stack has got over needs no second gate. */
async function hasRestarted(engine: Engine, gate: Gate): Promise<boolean> {
  const life = await engine.life();
  return gate.engine !== undefined && life !== null && life !== gate.engine;
}

function settingsOf(health: { within?: string; stable_for?: string } | undefined): HealthSettings {
  return {
    within: seconds(health?.within ?? ROLE_DEFAULTS.healthWithin),
    stableFor: seconds(health?.stable_for ?? ROLE_DEFAULTS.healthStableFor),
  };
}

/** A rebuilt journal does not know what its deployment expects; then what runs has to be well as it is. */
function expectationsOf(services: Services, containers: readonly Container[]): Services {
  if (Object.keys(services).length > 0) return services;
  return Object.fromEntries(
    containers.flatMap(({ service, inputs, state, exitCode }) =>
      inputs === null ? [] : [[service, { inputs, oneShot: state === 'exited' && exitCode === 0 }]],
    ),
  );
}

/** Adds the last lines of the service that failed: what an operator would ask for next. */
async function withLog(
  { ports }: Pick<Context, 'ports'>,
  { problem, service }: Extract<Judgement, { verdict: 'failed' }>,
  containers: readonly Container[],
): Promise<Problem> {
  const container = containers.find((one) => one.service === service);
  if (container === undefined) return problem;
  try {
    const log = (await ports.engine.logs(container.id, LOG.lines)).trim().slice(-LOG.bytes);
    return log === '' ? problem : { ...problem, what: `${problem.what}; its last lines: ${log}` };
  } catch (thrown) {
    ports.log.warning('The log of the service could not be read', { service, reason: String(thrown) });
    return problem;
  }
}
