import { problemOf, type Status } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import type { World } from '../observe/world.ts';

/** Tells the sources that listen how the run ended. One that cannot be told learns it from the next run. */
export async function tell({ ports, sources }: Context, status: Status, world: World): Promise<void> {
  for (const source of sources) {
    try {
      await source.tell?.(status, world.seen.desired);
    } catch (thrown) {
      ports.log.debug('The end of the run could not be told', {
        source: source.name,
        problem: problemOf(thrown),
      });
    }
  }
}
