import type { ComposeModel, ComposeService } from '../../ports/engine.ts';

/**
 * The services that are meant to end: those that are never restarted and that another service waits for with
 * `service_completed_successfully`, and those that role.yaml declares under `one_shots`.
 */
export function oneShotsOf(model: ComposeModel, declared: readonly string[] = []): ReadonlySet<string> {
  const awaited = new Set(
    Object.values(model.services).flatMap(({ depends_on: dependencies = {} }) =>
      Object.entries(dependencies)
        .filter(([, { condition }]) => condition === 'service_completed_successfully')
        .map(([name]) => name),
    ),
  );
  const names = Object.entries(model.services)
    .filter(([name, service]) => declared.includes(name) || (awaited.has(name) && isNeverRestarted(service)))
    .map(([name]) => name);
  return new Set(names);
}

/** `deploy.restart_policy` is Compose's other way to say it, and is used where `restart` is absent. */
function isNeverRestarted({ restart, deploy }: ComposeService): boolean {
  if (restart !== undefined) return restart === 'no';
  const policy = (deploy as { restart_policy?: { condition?: string } } | undefined)?.restart_policy;
  return policy === undefined || policy.condition === 'none';
}
