import type { Effect, Event } from '../decide/vocabulary.ts';
import type { Context } from './context.ts';
import { pointAt } from './links.ts';
import { bringUp, stopStack } from './stack/bring-up.ts';
import { prepareDeployment } from './stack/prepare.ts';

/**
 * The way back, without the network: the symlink first, so that a power cut from here on boots into the former
 * release; then its stack, from the release and the images that are still here. State is not touched. With nothing to
 * go back to, what failed is stopped, and that is all.
 */
export async function revert(
  { failed, to }: Extract<Effect, { kind: 'revert' }>,
  context: Context,
): Promise<Event> {
  const { ports, paths } = context;
  if (to === null) {
    await ports.disk.remove('revert.unlink', paths.current);
    await stopStack(context, failed);
    return { type: 'passed' };
  }
  await pointAt(context, { label: 'revert.current', link: paths.current, deployment: to });
  const { gate } = await bringUp(context, await prepareDeployment(context, to));
  return { type: 'activated', gate };
}
