import type { Stage } from '@metrica-fleet/protocol';
import type { StageCounts } from '@metrica-fleet/protocol/api';
import { countedDevices } from './counted.ts';
import { measureGate, triedOf, waitedFor } from './gate.ts';
import { NOBODY, type Rollout } from './rollout.ts';
import { stageName } from './stage-name.ts';

/** The gate of one stage as measured now, in one sentence for people. From the same measure that the planner goes by. */
export function describeGate(rollout: Rollout, index: number, counts: StageCounts = NOBODY): string {
  const { stages, progress, state } = rollout;
  const stage = stages[index];
  if (stage === undefined) return '';
  const opened = progress[index];
  if (opened === undefined) {
    if (state !== 'running' && state !== 'paused') return 'Was never opened.';
    return index === 0 ? 'Opens at once.' : `Waits for ${stageName(stages, index - 1)}.`;
  }
  const measured = sentenceOf(stage, counts);
  if (index < progress.length - 1 || state !== 'running' || opened.metSince === null) return `${measured}.`;
  return `${measured}; ${whatNext(stage)}.`;
}

function sentenceOf(stage: Stage, counts: StageCounts): string {
  const { healthy, failed, offline } = counts;
  const tried = triedOf(counts);
  const allowed = `at most ${stage.maxFailedPercent} % may fail`;
  const absent = offline === 0 ? '' : `, not for ${offline} offline`;
  switch (measureGate(stage, counts)) {
    case 'empty':
      return 'No device of the role is in it';
    case 'exceeded':
      return `${failed} of ${tried} that tried failed; ${allowed}`;
    case 'met':
      return `${healthy} healthy and ${failed} failed of ${tried} that tried; ${allowed}${absent === '' ? '' : `; ${offline} offline`}`;
    case 'waiting':
    case 'nearly':
      if (waitedFor(counts) === 0) {
        return tried === 0
          ? `Waits for the first device to try it; ${countedDevices(offline)} offline`
          : `Waits for a healthy device; ${failed} of ${tried} that tried failed; ${allowed}`;
      }
      return `Waits for ${waitedFor(counts)} reachable${absent}; ${healthy} healthy and ${failed} failed of ${tried} that tried; ${allowed}`;
  }
}

function whatNext({ promotion, soak }: Stage): string {
  const time = soak === 0 ? '' : `soaks for ${soak % 60 === 0 ? `${soak / 60} min` : `${soak} s`}`;
  if (promotion === 'automatic') return time === '' ? 'passes' : time;
  return time === '' ? 'waits to be promoted' : `${time}, then waits to be promoted`;
}
