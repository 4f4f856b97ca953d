import type { Effect, Event } from '../decide/vocabulary.ts';
import type { Context } from './context.ts';
import { pointAt } from './links.ts';
import { leaveSafeMode } from './safe-mode.ts';
import { bringUp } from './stack/bring-up.ts';
import { prepareDeployment } from './stack/prepare.ts';

/**
 * The swap. Everything that can fail for the role's own reasons comes before it; then `app_prev` keeps the way back,
 * one rename(2) moves `app_current`, and the changed services start. After a crash in between, the whole is repeated.
 */
export async function activate(
  { deployment, from }: Extract<Effect, { kind: 'activate' }>,
  context: Context,
): Promise<Event> {
  const { paths } = context;
  // Its page may have the port that the stack needs.
  await leaveSafeMode(context);
  const plan = await prepareDeployment(context, deployment);
  if (from !== null) {
    await pointAt(context, { label: 'activate.previous', link: paths.previous, deployment: from });
  }
  await pointAt(context, { label: 'activate.current', link: paths.current, deployment });
  const { gate } = await bringUp(context, plan);
  return { type: 'activated', gate };
}
