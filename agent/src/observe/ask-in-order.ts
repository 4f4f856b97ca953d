import { problemOf, type Problem } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import type { Journal } from '../decide/journal.ts';
import { weigh, type Circumstances, type Weight } from '../decide/precedence.ts';
import { silentFor, type Outages } from '../sources/outages.ts';
import { asked, type Silence, type Silences, type Sound } from '../sources/silence.ts';
import type { Asking, Desired, Source } from '../sources/source.ts';
import type { Kept } from './kept.ts';

/** How a source answered that was asked, or would have been. */
export interface Contact {
  readonly source: string;
  readonly answered: boolean;
  /** Why it did not, or why its answer does not count; null where nothing is the matter. */
  readonly problem: Problem | null;
}

/** What came of one source. */
export interface Word extends Sound {
  readonly contact: Contact;
  /** Its answer; null for none, or where nothing is wanted. */
  readonly said: Desired | null;
}

export interface Round {
  /** What is wanted from now on; null where nothing is, or where nobody has ever said. */
  readonly standing: Desired | null;
  /** A source has said that nothing is wanted, which is more than that none has ever said anything. */
  readonly withdrawn: boolean;
  /** One for each source that was asked, in order. */
  readonly words: readonly Word[];
}

/** What a round of questions begins with. */
export interface Beginning {
  readonly journal: Journal;
  readonly asking: Asking;
  readonly kept: Kept | null;
  readonly silences: Silences;
  readonly outages: Outages;
}

type Places = Pick<Context, 'ports' | 'sources' | 'config'>;

/** Seconds between two runs where no role says otherwise. */
const INTERVAL = 300;

/**
 * Asks the sources, from the first on, until one leads. One that does not answer hands over to the next within its own
 * deadline, and is asked again after a pause that grows; whoever waits for the run does not wait for that.
 */
export async function askInOrder(context: Places, beginning: Beginning): Promise<Round> {
  const standing = beginning.kept?.standing ?? null;
  const words: Word[] = [];
  for (const source of context.sources) {
    const answer = await ask(context, source, beginning);
    if (!answer.answered) {
      words.push(wordOfSilence(source, answer.silence, standing));
      continue;
    }
    const { said } = answer;
    const weight = weighed(context, { source, said }, beginning, words);
    const problem = said === null ? null : problemWith(weight, said, beginning);
    words.push({ source, contact: { source: source.name, answered: true, problem }, silence: null, said });
    if (weight === 'leads') return { standing: said, withdrawn: said === null, words };
  }
  return { standing, withdrawn: false, words };
}

type Answer =
  | { readonly answered: true; readonly said: Desired | null }
  | { readonly answered: false; readonly silence: Silence };

async function ask({ ports }: Places, source: Source, beginning: Beginning): Promise<Answer> {
  const { asking, kept, silences, journal } = beginning;
  const before = silences[source.name];
  const standing = kept?.standing;
  if (before !== undefined && !asking.eager && before.again > ports.clock.now().uptime && !source.carrier)
    return { answered: false, silence: before };
  const own = [standing, ...(kept?.others ?? [])].find((said) => said?.source === source.name) ?? null;
  try {
    const last = source.carrier ? (standing ?? null) : own;
    return { answered: true, said: await source.desired(last, { ...asking, standing }) };
  } catch (thrown) {
    const interval = journal.current?.interval ?? INTERVAL;
    const failure = { problem: problemOf(thrown), interval };
    return { answered: false, silence: asked(before, failure, ports.clock.now()) };
  }
}

/** A stick that is not plugged in is missed only by a device that knows nothing. */
function wordOfSilence(source: Source, silence: Silence, standing: Desired | null): Word {
  const { problem } = silence;
  const isMissed = !source.carrier || standing === null || problem.code !== 'source-unreachable';
  const contact = { source: source.name, answered: false, problem: isMissed ? problem : null };
  return { source, contact, silence, said: null };
}

// eslint-disable-next-line max-params -- where, who says what, what was before this round, and what has come of it
function weighed(
  { ports, sources, config }: Places,
  { source, said }: { readonly source: Source; readonly said: Desired | null },
  { journal, kept, outages }: Beginning,
  above: readonly Word[],
): Weight {
  const now = ports.clock.now();
  const standing = kept?.standing ?? null;
  if (said === standing) return 'leads';
  const from = placeOf(sources, source, standing);
  // That nothing is wanted is for the one to say who leads.
  if (said === null) return from === 'above' ? 'nothing-newer' : 'leads';
  const silent = above
    .filter((word) => !word.source.carrier)
    .map(({ source: { name }, silence }) => (silence === null ? 0 : silentFor(outages[name], silence, now)));
  return weigh(said, {
    journal,
    standing,
    carrier: source.carrier,
    signed: config.allowedSigners !== null,
    from,
    silentAbove: Math.min(Infinity, ...silent),
    now,
  });
}

function placeOf(
  sources: readonly Source[],
  source: Source,
  standing: Desired | null,
): Circumstances['from'] {
  if (standing?.source === source.name) return 'itself';
  const place = sources.findIndex(({ name }) => name === standing?.source);
  if (place < 0 || sources[place]?.carrier === true) return 'nobody';
  return place < sources.indexOf(source) ? 'above' : 'below';
}

function problemWith(
  weight: Weight,
  { role, commit, counter, source }: Desired,
  { journal }: Beginning,
): Problem | null {
  if (weight !== 'behind') return null;
  const release = `${role} at ${commit.slice(0, 12)}`;
  if (counter !== undefined) {
    return {
      code: 'statement-replayed',
      what: `It names ${release} with counter ${counter}, and this device has accepted ${journal.counters[role] ?? 0}`,
      where: source,
      remedy: 'It is behind another source, and not followed until it has caught up; to go back, sign again.',
    };
  }
  return {
    code: 'source-behind',
    what: `It names ${release}, which is not known to be newer than what this device has`,
    where: source,
    remedy: 'A mirror that is behind catches up by itself; where releases are signed, this one has to be.',
  };
}
