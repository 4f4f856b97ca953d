import type { Moment } from '../ports/clock.ts';
import { isOver, nextBackoff } from './backoff.ts';
import { begin, engineRepair, isLost, OF_THE_ENGINE } from './idle.ts';
import type { Journal, Safe } from './journal.ts';
import { enterSafe } from './outcomes.ts';
import type { Observation, Step } from './vocabulary.ts';
import { activate } from './swap.ts';
import { judgeWanted } from './wanted.ts';

/**
 * What a device in safe mode does: takes what is new; else tries what ran last, when its time has come or the engine is
 * back; else sees that it stays as it is, for containers may come back by themselves and a reboot ends the page.
 */
export function rest(journal: Journal, seen: Observation, now: Moment): Step {
  const { safe, current } = journal;
  const { desired, faults, blind } = seen;
  if (safe === undefined)
    return { journal: { ...journal, state: { name: 'idle' } }, effect: null, history: [] };
  if (seen.stop === true) return enterSafe(journal, { problem: safe.problem, held: true }, now);
  if (safe.held) return stay(journal, safe);
  const wanted =
    desired !== null && (judgeWanted(journal, desired, now) === 'news' || isLost(journal, seen, now));
  if (wanted) return begin(journal, desired, now);
  const isTime = isOver(safe.retry, now);
  if (current === null || (faults === null && !isTime)) return stay(journal, safe);
  if (faults === null)
    return { journal: putOff(journal, safe, now), effect: engineRepair(current, blind), history: [] };
  if (!isTime && !OF_THE_ENGINE.has(safe.problem.code)) return stay(journal, safe);
  return activate(journal, { next: current, reboots: 0, revertedFor: safe.problem }, now);
}

function stay(journal: Journal, safe: Safe): Step {
  return { journal, effect: { kind: 'enter-safe', failed: journal.current, safe }, history: [] };
}

function putOff(journal: Journal, safe: Safe, now: Moment): Journal {
  return {
    ...journal,
    safe: { ...safe, retry: nextBackoff(safe.retry, { key: 'safe', problem: safe.problem }, now) },
  };
}
