import type { Probe } from '@metrica-fleet/protocol';
import type { ProbeFailure } from '../decide/health.ts';
import type { Container } from '../ports/engine.ts';
import type { Ports } from '../ports/ports.ts';

/** Milliseconds that one probe may take. */
const DEADLINE = 5_000;

/** Runs a role's probes side by side; returns those that failed. */
export async function failingProbes(
  ports: Pick<Ports, 'network' | 'engine'>,
  probes: readonly Probe[],
  containers: readonly Container[],
): Promise<readonly ProbeFailure[]> {
  const results = await Promise.all(
    probes.map(async (probe) => ({ probe: nameOf(probe), reason: await runProbe(ports, probe, containers) })),
  );
  return results.flatMap(({ probe, reason }) => (reason === null ? [] : [{ probe, reason }]));
}

async function runProbe(
  { network, engine }: Pick<Ports, 'network' | 'engine'>,
  probe: Probe,
  containers: readonly Container[],
): Promise<string | null> {
  if ('http' in probe) return network.probeHttp(probe.http, DEADLINE);
  if ('tcp' in probe) {
    const at = probe.tcp.lastIndexOf(':');
    return network.probeTcp(probe.tcp.slice(0, at), Number(probe.tcp.slice(at + 1)), DEADLINE);
  }
  const [service = '', ...argv] = probe.exec;
  const container = containers.find((one) => one.service === service && one.state === 'running');
  if (container === undefined) return `no container of ${service} runs`;
  return engine.execIn(container.id, argv, DEADLINE);
}

function nameOf(probe: Probe): string {
  if ('http' in probe) return `http ${probe.http}`;
  return 'tcp' in probe ? `tcp ${probe.tcp}` : `exec ${probe.exec.join(' ')}`;
}
