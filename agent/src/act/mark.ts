import type { Effect, Event } from '../decide/vocabulary.ts';
import type { Context } from './context.ts';
import { pointAt } from './links.ts';

/** Points `app_next` at the staged release: from here on it is complete, verified, valid, and its images are here. */
export async function mark(
  { deployment }: Extract<Effect, { kind: 'mark' }>,
  context: Context,
): Promise<Event> {
  await pointAt(context, { label: 'mark.next', link: context.paths.next, deployment });
  return { type: 'marked' };
}
