import { problemOf } from '@metrica-fleet/protocol';
import { readConfig } from '../config.ts';
import { AGENT_VERSION } from '../version.ts';
import { AGENT } from './agent.ts';
import { CARD } from './card.ts';
import { DOCKER } from './docker.ts';
import { unknown, type Finding, type Severity } from './finding.ts';
import { JOURNALD } from './journald.ts';
import { KERNEL } from './kernel.ts';
import { NETWORK } from './network.ts';
import { says, type KernelLog, type Patient, type Topic } from './patient.ts';
import { POWER } from './power.ts';
import { SOURCES } from './sources.ts';
import { SPACE } from './space.ts';
import { TIME } from './time.ts';
import { UNITS } from './units.ts';

/** Everything that is looked at, in the order in which it is shown. */
const TOPICS: readonly Topic[] = [
  AGENT,
  UNITS,
  SOURCES,
  NETWORK,
  DOCKER,
  KERNEL,
  JOURNALD,
  TIME,
  POWER,
  CARD,
  SPACE,
];

/** Milliseconds for one topic; they go side by side. */
const DEADLINE = 15_000;

/** What the doctor found. */
export interface Diagnosis {
  readonly schemaVersion: 1;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly agentVersion: string;
  /** The worst severity of all; what is unknown counts as well. */
  readonly verdict: Exclude<Severity, 'unknown'>;
  /** Worst first. */
  readonly findings: readonly Finding[];
}

/** The device, and where its files lie. */
export type Surroundings = Pick<Patient, 'ports' | 'paths' | 'at'> & {
  /** Default name of the device. */
  readonly hostname: string;
};

const ORDER: readonly Severity[] = ['problem', 'warning', 'unknown', 'ok'];

/**
 * Looks at everything that keeps a device from doing its work and changes nothing. Never throws for what it finds: a
 * topic that fails or takes longer than 15 s is itself a finding.
 */
export async function diagnose(
  surroundings: Surroundings,
  options: { readonly topics?: readonly Topic[]; readonly deadline?: number } = {},
): Promise<Diagnosis> {
  const { topics = TOPICS, deadline = DEADLINE } = options;
  const patient = await patientOf(surroundings);
  const late = passing(deadline);
  const found = await Promise.all(topics.map((one) => examine(one, patient, late)));
  const findings = found
    .flat()
    .sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  const [worst] = findings;
  return {
    schemaVersion: 1,
    at: surroundings.ports.clock.now().wall,
    agentVersion: AGENT_VERSION,
    verdict: worst === undefined || worst.severity === 'unknown' ? 'ok' : worst.severity,
    findings,
  };
}

/** Ends after so many milliseconds, and keeps no process alive for it. */
function passing(deadline: number): Promise<void> {
  const timeout = AbortSignal.timeout(deadline);
  return new Promise((resolve) => timeout.addEventListener('abort', () => resolve(), { once: true }));
}

async function examine(one: Topic, patient: Patient, late: Promise<void>): Promise<readonly Finding[]> {
  const examined = one.examine(patient).catch((thrown: unknown) => {
    const { what } = problemOf(thrown);
    return [unknown(one.name, `It could not be looked at: ${what}`)];
  });
  return await Promise.race([examined, late.then(() => [unknown(one.name, 'No answer in time')])]);
}

async function patientOf({ ports, paths, at, hostname }: Surroundings): Promise<Patient> {
  let asked: Promise<KernelLog> | null = null;
  const patient = { ports, paths, at, kernelLog: () => (asked ??= kernelLogOf({ ports })) };
  try {
    return { ...patient, config: await readConfig(ports.disk, paths, hostname), configProblem: null };
  } catch (thrown) {
    return { ...patient, config: null, configProblem: problemOf(thrown) };
  }
}

/** journald has the whole boot, also where the kernel's own buffer has run over. A user without rights gets a hint and no lines. */
async function kernelLogOf(device: Pick<Patient, 'ports'>): Promise<KernelLog> {
  const argv = ['journalctl', '-k', '-b', '-p', 'warning', '-n', '2000', '-o', 'cat', '--no-pager'] as const;
  const said = await says(device, 'doctor.kernel-log', argv);
  if (said === null || said.code !== 0 || /not seeing messages|insufficient permissions/i.test(said.err))
    return null;
  return said.out.split('\n');
}
