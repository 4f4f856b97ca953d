import { blameOf } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import type { Journal } from '../decide/journal.ts';
import { readOutages } from '../sources/outages.ts';
import { readSilences, type Sound } from '../sources/silence.ts';
import type { Asking, Desired } from '../sources/source.ts';
import { askInOrder, type Contact, type Round, type Word } from './ask-in-order.ts';
import { keptText, parseKept, type Kept } from './kept.ts';
import { readable } from './readable.ts';

export interface Wishes {
  /** What is wanted; null where nothing is, or where nobody has ever said. */
  readonly desired: Desired | null;
  /** A source has said that nothing is wanted, which is more than that none has ever said anything. */
  readonly withdrawn: boolean;
  /** How each source answered that was asked. */
  readonly contacts: readonly Contact[];
  /** Uptime in seconds when a source that did not answer is asked again; null for none. */
  readonly askAgain: number | null;
  readonly sounds: readonly Sound[];
  /** The source that was followed so far; null for none. */
  readonly followed: string | null;
}

type Places = Pick<Context, 'ports' | 'paths' | 'sources' | 'config'>;

/**
 * What this device should run: the answer of the first source that leads (`decide/precedence.ts`), else what was wanted
 * before. What is kept is written when it changed, and only then: a run in which nothing is new writes nothing.
 */
export async function observeDesired(context: Places, journal: Journal, asking: Asking): Promise<Wishes> {
  const { ports, paths } = context;
  const text = await readable(ports.disk, paths.desired);
  const kept = text === null ? null : parseKept(text, paths.desired);
  const silences = await readSilences(ports.disk, paths.run.silences);
  const outages = await readOutages(ports.disk, paths.outages);
  const round = await askInOrder(context, { journal, asking, kept, silences, outages });
  await keepWords(context, { kept, text }, round);
  const { standing, withdrawn, words } = round;
  return {
    desired: standing,
    withdrawn,
    contacts: words.map(({ contact }) => contact),
    askAgain: askAgain(words),
    sounds: words,
    followed: kept?.standing.source ?? null,
  };
}

/** One that refuses is asked with the role's interval: only a person can change that. */
function askAgain(words: readonly Word[]): number | null {
  const times = words.flatMap(({ source, silence }) =>
    silence === null || source.carrier || blameOf(silence.problem) !== 'environment' ? [] : [silence.again],
  );
  return times.length === 0 ? null : Math.min(...times);
}

interface Former {
  readonly kept: Kept | null;
  readonly text: string | null;
}

async function keepWords(
  { ports, paths, sources }: Places,
  { kept, text }: Former,
  { standing, withdrawn, words }: Round,
): Promise<void> {
  if (standing === null) {
    if (withdrawn && text !== null) await ports.disk.remove('desired.forget', paths.desired);
    return;
  }
  const others = sources.flatMap(({ name, carrier }): Desired[] => {
    if (carrier || name === standing.source) return [];
    const fresh = words.find(({ said }) => said?.source === name)?.said;
    const former = [...(kept?.others ?? []), ...(kept === null ? [] : [kept.standing])];
    const last = fresh ?? former.find(({ source }) => source === name);
    return last === undefined ? [] : [last];
  });
  const now = keptText({ standing, others });
  if (now !== text) await ports.disk.replace('desired.write', paths.desired, now);
}
