import { join } from 'node:path';
import type { Effect, Event } from '../decide/vocabulary.ts';
import type { Context } from './context.ts';

/** Points `app_next` at the staged release: from here on it is complete, verified, valid, and its images are here. */
export async function mark(
  { deployment }: Extract<Effect, { kind: 'mark' }>,
  { ports, paths }: Context,
): Promise<Event> {
  await ports.disk.replaceLink('mark.next', paths.next, join(paths.releases, deployment.release.digest));
  return { type: 'marked' };
}
