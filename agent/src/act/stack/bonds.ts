import type { ComposeModel, ComposeService } from '../../ports/engine.ts';

/**
 * The services to whose containers a service is bound: it shares their network, IPC or PID namespace or their volumes,
 * or says `depends_on: {…: {restart: true}}`. When one of them is recreated, this one must be too: a container that
 * shares the network of one that is gone has nothing but its loopback left (tried with Compose 2.26).
 */
export function boundTo(service: ComposeService): readonly string[] {
  const shared = ['network_mode', 'ipc', 'pid'].flatMap((key) => {
    const value = service[key];
    return typeof value === 'string' && value.startsWith('service:') ? [value.slice('service:'.length)] : [];
  });
  const volumes = Array.isArray(service['volumes_from'])
    ? (service['volumes_from'] as readonly string[])
    : [];
  const lenders = volumes
    .filter((from) => !from.startsWith('container:'))
    .map((from) => from.split(':')[0] ?? from);
  const declared = Object.entries(service.depends_on ?? {})
    .filter(([, dependency]) => 'restart' in dependency && dependency.restart === true)
    .map(([name]) => name);
  return [...new Set([...shared, ...lenders, ...declared])].sort();
}

/** The given services and all that are bound to them, directly or through others, sorted. */
export function withBound(model: ComposeModel, services: readonly string[]): readonly string[] {
  const all = new Set(services);
  const entries = Object.entries(model.services);
  for (let before = -1; before !== all.size;) {
    before = all.size;
    for (const [name, service] of entries)
      if (boundTo(service).some((other) => all.has(other))) all.add(name);
  }
  return [...all].sort();
}
