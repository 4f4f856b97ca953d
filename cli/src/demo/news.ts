import type { DeviceEvent, DeviceState, RolloutStage, RolloutSummary } from '@metrica-fleet/protocol/api';

/** A look at the fleet. */
export interface Look {
  /** The newest rollouts, newest first. */
  readonly rollouts: readonly RolloutSummary[];
  /** State of each device, by name. */
  readonly states: ReadonlyMap<string, DeviceState>;
  /** The newest events, newest first. */
  readonly events: readonly Pick<DeviceEvent, 'id' | 'kind' | 'deviceName' | 'text'>[];
}

/** What people want to hear of at once; other states come and go with every update. */
const TROUBLES: ReadonlySet<DeviceState> = new Set(['conflict', 'failed', 'offline', 'degraded']);
/** Devices that are named in one line. */
const NAMED = 5;

/** What has happened between two looks, a line each. Pure. */
export function newsOf(before: Look, after: Look): readonly string[] {
  return [...rolloutNews(before, after), ...returnNews(before, after), ...deviceNews(before, after)];
}

function rolloutNews(before: Look, after: Look): readonly string[] {
  const former = new Map(before.rollouts.map((rollout) => [rollout.id, rollout]));
  // Oldest first, as it happened.
  return [...after.rollouts].reverse().flatMap((rollout) => {
    const was = former.get(rollout.id);
    const name = `${rollout.role} ${rollout.commit.slice(0, 7)}`;
    return [
      ...(was === undefined ? [`${name} rolls out: ${rollout.subject}`] : []),
      ...rollout.stages.flatMap((stage, index) => stageNews(name, was?.stages[index], stage)),
      ...(rollout.state === (was?.state ?? 'running') ? [] : [`${name} ${ending(rollout)}`]),
    ];
  });
}

function stageNews(name: string, was: RolloutStage | undefined, stage: RolloutStage): readonly string[] {
  if (stage.state === 'waiting') return [];
  // What a passed stage measures afterwards decides nothing any more.
  const same = stage.state === 'passed' || was?.gate === stage.gate;
  if (was?.state === stage.state && same) return [];
  return [`${name} ${stage.name} ${stage.state}: ${stage.gate}`];
}

function ending({ state, reason }: RolloutSummary): string {
  const why = reason === null ? '' : `: ${reason.replaceAll(/\s+/g, ' ')}`;
  switch (state) {
    case 'running':
      return 'goes on';
    case 'done':
      return 'has reached everybody';
    case 'halted':
      return `IS HALTED, who took it goes back${why}`;
    case 'paused':
    case 'superseded':
      return `is ${state}${why}`;
  }
}

/** Devices that went back to their former release by themselves. The text of such an event is «what – why». */
function returnNews(before: Look, after: Look): readonly string[] {
  const known = new Set(before.events.map(({ id }) => id));
  const groups = new Map<string, string[]>();
  for (const { id, kind, deviceName, text } of after.events) {
    if (kind !== 'reverted' || known.has(id)) continue;
    const [what = text] = text.split(' – ');
    groups.set(what, [...(groups.get(what) ?? []), deviceName]);
  }
  return [...groups].map(([what, names]) => `${listed(names)} ${what.replace(/^W/, 'w')}`);
}

function deviceNews(before: Look, after: Look): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const [name, state] of after.states) {
    const was = before.states.get(name);
    if (was === undefined || was === state) continue;
    const recovered = TROUBLES.has(was) && !TROUBLES.has(state);
    if (!TROUBLES.has(state) && !recovered) continue;
    const what = recovered ? `no longer ${was}` : state;
    groups.set(what, [...(groups.get(what) ?? []), name]);
  }
  return [...groups].map(([what, names]) => `${listed(names)} ${names.length === 1 ? 'is' : 'are'} ${what}`);
}

function listed(names: readonly string[]): string {
  const sorted = [...names].sort();
  if (sorted.length <= NAMED) return sorted.join(', ');
  return `${sorted.slice(0, NAMED).join(', ')} and ${sorted.length - NAMED} more`;
}
