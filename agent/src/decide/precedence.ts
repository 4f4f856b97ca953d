import type { Moment } from '../ports/clock.ts';
import type { Desired } from '../sources/source.ts';
import type { Journal } from './journal.ts';
import { judgeWanted } from './wanted.ts';

/** Seconds for which those above must have been silent before a lower source is followed: a hiccup hands over nothing. */
export const HAND_OVER = 900;

/** What the answer of one source is weighed by. */
export interface Circumstances {
  readonly journal: Journal;
  /** What is wanted so far, by whichever source; null on a device that has never been told. */
  readonly standing: Desired | null;
  /** Of the source that answers. */
  readonly carrier: boolean;
  /** Whether releases need a signed statement here. */
  readonly signed: boolean;
  /**
   * Where what stands comes from, seen from the source that answers: from that one itself, from one above or below it
   * in the configuration, or from a carrier or a source that is configured no more, which has nothing more to say.
   */
  readonly from: 'itself' | 'above' | 'below' | 'nobody';
  /** Seconds for which every source above has been silent. */
  readonly silentAbove: number;
  readonly now: Moment;
}

/**
 * - `leads`: this is what is wanted.
 * - `nothing-newer`: it says nothing that the device has not had; the next source is asked.
 * - `behind`: it names something older than what the device has accepted. Never followed, and said.
 * - `too-soon`: newer, but those above have not been silent for long enough.
 */
export type Weight = 'leads' | 'nothing-newer' | 'behind' | 'too-soon';

/**
 * Whether the answer of a source counts. The first that answers leads, and nothing leads backwards: not below the
 * counter that was accepted for the role where releases are signed, not to an older commit where they are not. Pure.
 */
export function weigh(answer: Desired, seen: Circumstances): Weight {
  const { journal, standing, carrier, from } = seen;
  const floor = journal.counters[answer.role] ?? 0;
  if (carrier) return weighCarried(answer, seen, floor);
  if (standing === null) return 'leads';
  if (answer.counter !== undefined && answer.counter < floor) {
    return from !== 'above' && isInPlace(answer, seen) ? 'leads' : 'behind';
  }
  if (from === 'itself') return 'leads';
  if (from === 'above') return weighLower(answer, { ...seen, standing }, floor);
  if (isInPlace(answer, seen)) return 'leads';
  return isOlder(answer, { ...seen, standing }, floor) ? 'behind' : 'leads';
}

type Compared = Circumstances & { readonly standing: Desired };

/** A stick speaks while it has something newer, and until that is settled; an old one that stays plugged in is silent. */
function weighCarried(answer: Desired, { journal, standing, now }: Circumstances, floor: number): Weight {
  const verdict = judgeWanted(journal, answer, now);
  if (verdict === 'in-place' || verdict === 'quarantined') return 'nothing-newer';
  if ((answer.counter ?? 0) > floor) return 'leads';
  const begun = standing?.source === answer.source && standing.position === answer.position;
  return begun ? 'leads' : 'nothing-newer';
}

function weighLower(answer: Desired, seen: Compared, floor: number): Weight {
  const { standing, signed, silentAbove } = seen;
  if (answer.commit === standing.commit && answer.role === standing.role) return 'nothing-newer';
  if (isOlder(answer, seen, floor)) return 'behind';
  const newer = signed ? (answer.counter ?? 0) > floor : isLater(answer, standing);
  if (!newer) return 'nothing-newer';
  return silentAbove >= HAND_OVER ? 'leads' : 'too-soon';
}

/** What is known to be older. What nobody has signed, where somebody has to, is not known to be anything else. */
function isOlder(answer: Desired, { signed, standing }: Compared, floor: number): boolean {
  if (signed) return answer.counter === undefined || answer.counter < floor;
  return isLater(standing, answer);
}

function isLater(a: Desired, b: Desired): boolean {
  return a.time !== undefined && b.time !== undefined && a.time > b.time;
}

function isInPlace(answer: Desired, { journal, now }: Circumstances): boolean {
  return judgeWanted(journal, answer, now) === 'in-place';
}
