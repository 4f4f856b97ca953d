import { problemOf } from '@metrica-fleet/protocol';
import type { Effect, EffectKind, Event } from '../decide/vocabulary.ts';
import { activate } from './activate.ts';
import { collect } from './collect.ts';
import type { Context } from './context.ts';
import { enterSafeMode } from './safe-mode.ts';
import { fetchRelease } from './fetch.ts';
import { judge } from './judge.ts';
import { mark } from './mark.ts';
import { pull } from './pull.ts';
import { repair } from './repair.ts';
import { revert } from './revert.ts';

type Executor<K extends EffectKind> = (
  effect: Extract<Effect, { kind: K }>,
  context: Context,
) => Promise<Event | null>;

/** One executor per kind of effect: an effect without one does not compile. */
const EXECUTORS: { readonly [K in EffectKind]: Executor<K> } = {
  fetch: fetchRelease,
  pull,
  mark,
  activate,
  judge,
  revert,
  repair,
  collect,
  'enter-safe': enterSafeMode,
};

/** Performs an effect. Whatever it throws is an event too: the decision what to make of it is not taken here. */
export async function perform(effect: Effect, context: Context): Promise<Event | null> {
  const executor = EXECUTORS[effect.kind] as Executor<EffectKind>;
  try {
    return await executor(effect, context);
  } catch (thrown) {
    const problem = problemOf(thrown);
    context.ports.log.warning(`${effect.kind} failed`, {
      problem,
      ...(problem.code === 'agent-bug' && thrown instanceof Error ? { stack: thrown.stack } : {}),
    });
    return { type: 'failed', problem };
  }
}
