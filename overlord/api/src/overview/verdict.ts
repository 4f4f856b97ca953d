import type { DeviceState, Overview, RolloutSummary } from '@metrica-fleet/protocol/api';

/** What the verdict is about. */
export interface Situation {
  readonly total: number;
  readonly counts: Readonly<Record<DeviceState, number>>;
  /** Those that are open, and the last of each role where that was halted. */
  readonly rollouts: readonly Pick<RolloutSummary, 'role' | 'commit' | 'state'>[];
}

type Verdict = Overview['verdict'];

/** Offline is normal: only more than this share of the fleet is worth a warning. Percent. */
const OFFLINE_BORNE = 2;

/** The fleet in one sentence, with a tone: what somebody wants to know at 3am. Pure. */
export function verdictOf({ total, counts, rollouts }: Situation): Verdict {
  if (total === 0) return { tone: 'empty', text: 'No device has joined the fleet yet.' };
  const bad = sentence([part(counts.failed, 'failed'), part(counts.conflict, 'in conflict')], total);
  if (bad !== null) return { tone: 'bad', text: bad };
  const halted = rollouts.find(({ state }) => state === 'halted');
  if (halted !== undefined) return { tone: 'warning', text: `The rollout of ${nameOf(halted)} was halted.` };
  const paused = rollouts.find(({ state }) => state === 'paused');
  if (paused !== undefined) return { tone: 'warning', text: `The rollout of ${nameOf(paused)} is paused.` };
  const away = counts.offline * 100 > OFFLINE_BORNE * total ? part(counts.offline, 'offline') : null;
  const warning = sentence([part(counts.degraded, 'degraded'), away], total);
  if (warning !== null) return { tone: 'warning', text: warning };
  const rest = counts.offline === 0 ? '' : `; ${counts.offline} offline`;
  const running = rollouts.filter(({ state }) => state === 'running');
  if (running.length > 0) {
    const what = running.map(nameOf).join(' and ');
    return { tone: 'busy', text: `${what} ${running.length === 1 ? 'is' : 'are'} rolling out${rest}.` };
  }
  if (counts.updating > 0) {
    return { tone: 'busy', text: `${counts.updating} of ${total} ${devices(total)} are updating${rest}.` };
  }
  const well = total - counts.offline;
  const all =
    well === total
      ? `All ${total} ${devices(total)} are well`
      : `${well} of ${total} ${devices(total)} are well`;
  return { tone: 'good', text: `${total === 1 && well === 1 ? 'The one device is well' : all}${rest}.` };
}

function part(count: number, what: string): string | null {
  return count === 0 ? null : `${count} ${what}`;
}

function sentence(parts: readonly (string | null)[], total: number): string | null {
  const said = parts.filter((one) => one !== null);
  return said.length === 0 ? null : `${said.join(' and ')} of ${total} ${devices(total)}.`;
}

function devices(count: number): string {
  return count === 1 ? 'device' : 'devices';
}

function nameOf({ role, commit }: Situation['rollouts'][number]): string {
  return `${role} ${commit.slice(0, 7)}`;
}
