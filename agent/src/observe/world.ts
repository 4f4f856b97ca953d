import { problemOf, type Problem } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import type { Journal } from '../decide/journal.ts';
import type { Observation } from '../decide/vocabulary.ts';
import type { Sound } from '../sources/silence.ts';
import type { Asking } from '../sources/source.ts';
import { freeSpace, isCramped } from '../sources/space.ts';
import type { Contact } from './ask-in-order.ts';
import { observeDesired } from './desired.ts';
import { observeStack, type Stack } from './stack.ts';

/** Everything that a run saw: what decide needs, and what only the report needs. */
export interface World {
  readonly seen: Observation;
  /** How each source answered that was asked. */
  readonly contacts: readonly Contact[];
  /** Uptime in seconds when a source that did not answer is asked again; null where none is sooner than the next run. */
  readonly askAgain: number | null;
  readonly sounds: readonly Sound[];
  /** The source that was followed so far; null for none. */
  readonly followed: string | null;
  readonly look: StackLook;
}

/** A look at the running stack, or why there was none. */
export interface StackLook {
  readonly stack: Stack | null;
  readonly problem: Problem | null;
}

/** Looks at the sources and at the stack, side by side: neither needs the other. */
export async function observeWorld(context: Context, journal: Journal, asking: Asking): Promise<World> {
  const [{ desired, withdrawn, ...asked }, look, free] = await Promise.all([
    observeDesired(context, journal, asking),
    lookAtStack(context, journal),
    freeSpace(context.ports.disk, context.paths),
  ]);
  const faults = look.problem === null ? (look.stack?.faults ?? []) : null;
  const blind = look.problem === null ? {} : { blind: look.problem };
  return { seen: { desired, withdrawn, faults, cramped: isCramped(free), ...blind }, ...asked, look };
}

/** The stack of the current deployment; nothing, without a problem, where there is none. */
export async function lookAtStack({ ports, paths }: Context, { current }: Journal): Promise<StackLook> {
  if (current === null) return { stack: null, problem: null };
  try {
    return { stack: await observeStack({ ports, paths }, current), problem: null };
  } catch (thrown) {
    return { stack: null, problem: problemOf(thrown) };
  }
}
