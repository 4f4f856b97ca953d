import type { Problem } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';
import type { Container } from '../ports/engine.ts';
import type { Gate, ServiceExpectation } from './journal.ts';
import { serviceState } from './service-state.ts';

/** The settings of a role's health gate, in seconds. */
export interface HealthSettings {
  readonly within: number;
  readonly stableFor: number;
}

/** One sample of a stack under probation. */
export interface Sample {
  readonly gate: Gate;
  readonly services: Readonly<Record<string, ServiceExpectation>>;
  readonly containers: readonly Container[];
  /** What the role's probes said; empty when all passed. */
  readonly probes: readonly ProbeFailure[];
  readonly settings: HealthSettings;
  readonly now: Moment;
}

export interface ProbeFailure {
  /** The probe as role.yaml has it: `http http://…`. */
  readonly probe: string;
  readonly reason: string;
}

export type Judgement =
  | { readonly verdict: 'passed' }
  /** `service` is the one whose last lines explain it; null where no single one does. */
  | { readonly verdict: 'failed'; readonly problem: Problem; readonly service: string | null }
  | { readonly verdict: 'waiting'; readonly gate: Gate; readonly why: string };

interface Trouble {
  readonly what: string;
  readonly service: string | null;
}

/**
 * Judges a health gate from one sample.
 *
 * - A restart beyond the baseline and a one-shot that ended with an error fail at once: waiting makes neither good.
 * - Everything good, and good in every sample since `goodSince` for `stableFor`: passed. A first good sample is not
 *   success.
 * - Bad, or good and then bad again: `goodSince` is forgotten, and the stack may recover until `within` has passed
 *   since the gate was opened; the first bad sample after that fails. So the gate ends by `within + stableFor`.
 *
 * Between two runs nobody samples; what matters then (a crash) is still seen afterwards, as a restart counted.
 */
export function judgeHealth(sample: Sample): Judgement {
  const { gate, settings, now } = sample;
  const fatal = fatalTrouble(sample);
  if (fatal !== null) return failed(fatal);
  const trouble = passingTrouble(sample);
  if (trouble !== null) {
    if (elapsed(gate.opened, now) >= settings.within) return failed(trouble, settings.within);
    return { verdict: 'waiting', gate: { ...gate, goodSince: null }, why: trouble.what };
  }
  const goodSince = gate.goodSince?.boot === now.boot ? gate.goodSince : now;
  if (elapsed(goodSince, now) >= settings.stableFor) return { verdict: 'passed' };
  return {
    verdict: 'waiting',
    gate: { ...gate, goodSince },
    why: `good for ${Math.floor(elapsed(goodSince, now))} of ${settings.stableFor} s`,
  };
}

/** True when the containers look good: probing a service that does not run yet only costs time. */
export function worthProbing(sample: Pick<Sample, 'services' | 'containers'>): boolean {
  return serviceTrouble(sample) === null;
}

function fatalTrouble({ gate, services, containers }: Sample): Trouble | null {
  for (const container of containers) {
    const { service, restarts, exitCode, state } = container;
    const expectation = services[service];
    if (expectation === undefined || container.inputs !== expectation.inputs) continue;
    if (expectation.oneShot) {
      if (state === 'exited' && exitCode !== 0)
        return { what: `The one-shot «${service}» ended with exit code ${exitCode}`, service };
      continue;
    }
    if (state === 'restarting' || restarts > (gate.restarts[container.id] ?? 0))
      return { what: `The service «${service}» crashed and was restarted (exit code ${exitCode})`, service };
  }
  return null;
}

function passingTrouble(sample: Sample): Trouble | null {
  const [probe] = sample.probes;
  const troubleOfProbe =
    probe === undefined ? null : { what: `The probe ${probe.probe} fails: ${probe.reason}`, service: null };
  return serviceTrouble(sample) ?? troubleOfProbe;
}

function serviceTrouble({ services, containers }: Pick<Sample, 'services' | 'containers'>): Trouble | null {
  for (const [service, expectation] of Object.entries(services)) {
    const { kind, detail } = serviceState(service, expectation, containers);
    if (kind !== 'well') return { what: `The service «${service}» ${detail}`, service };
  }
  return null;
}

function failed({ what, service }: Trouble, after?: number): Judgement {
  const problem: Problem = {
    code: 'health-failed',
    what: after === undefined ? what : `${what}, ${after} s after it was started`,
    ...(service === null ? {} : { where: `service ${service}` }),
    remedy: 'Correct the role and push; or give it more time with `health.within` in role.yaml.',
  };
  return { verdict: 'failed', problem, service };
}

/** Seconds between two moments of one boot; 0 across a reboot, where decide/ opens a new gate anyway. */
function elapsed(from: Moment, to: Moment): number {
  return from.boot === to.boot ? to.uptime - from.uptime : 0;
}
