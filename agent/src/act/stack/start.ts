import { problemOf } from '@metrica-fleet/protocol';
import type { StackChange } from '../../ports/engine.ts';
import type { Context } from '../context.ts';

/**
 * Starts services, and where that fails once more: without the containers that were there, since one that hangs on a
 * network which somebody removed refuses to start for ever, and Compose keeps it as long as its definition is the same;
 * or with the engine as new, where it is the engine that is stuck.
 */
export async function startServices(
  { ports }: Pick<Context, 'ports'>,
  { label, model, services }: StackChange,
): Promise<void> {
  const { engine, log } = ports;
  try {
    await engine.up({ label, model, services });
  } catch (thrown) {
    const problem = problemOf(thrown);
    if (problem.code === 'docker-stuck') {
      log.warning('The engine is restarted', { problem });
      await engine.restartEngine(label);
      return engine.up({ label, model, services });
    }
    if (problem.code !== 'start-failed') throw thrown;
    const containers = await engine.containers(model.name);
    const refusing = containers.filter(
      ({ state, service }) => state !== 'running' && services.includes(service),
    );
    if (refusing.length === 0) throw thrown;
    const names = [...new Set(refusing.map(({ service }) => service))].sort();
    log.notice('What does not start is made anew', { services: names, problem });
    await engine.removeServices(label, model.name, names);
    await engine.up({ label, model, services });
  }
}
