import type { VariableLayer } from '@metrica-fleet/protocol';
import type { DesiredState, Explanation, Segment } from '@metrica-fleet/protocol/api';
import { stageOf } from './coverage.ts';
import type { Offered, OpenRollout, RoleDecisions, Snapshot } from './snapshot.ts';
import { stageName } from './stage-name.ts';

/** What a decision about a device depends on. */
export interface DecisionDevice {
  readonly id: string;
  readonly name: string;
  readonly membership: 'waiting' | 'active' | 'revoked';
  /** As the overlord has it; null: what devices/<name>.yaml says. */
  readonly role: string | null;
  readonly site: string | null;
  readonly segment: Segment;
  readonly updatesOff: boolean;
  /** What it last said it wants, else what it runs; null when it has said nothing. */
  readonly holds: { readonly role: string; readonly commit: string } | null;
}

export type Rule = Explanation['rules'][number];

/** What a device is to have. */
export interface Decision {
  /** Null with `keep`: it keeps what it was offered before. Null without: nothing for it. */
  readonly offer: DesiredState | null;
  readonly keep: boolean;
  /** The rollout that the offer comes from; null for the baseline. */
  readonly rollout: string | null;
  /** Every rule that was looked at, in order; the last that `decides` did. */
  readonly rules: readonly Rule[];
}

/**
 * What a device is to have, and why. Pure, and the only place where this is decided: the check-in is answered with
 * `offer`, and «explain» shows `rules` of the same call (invariant 8).
 */
export function decide(device: DecisionDevice, snapshot: Snapshot): Decision {
  const rules: Rule[] = [];
  const passes = (rule: string, text: string): void => void rules.push({ rule, verdict: 'passes', text });
  const end = (rule: string, text: string, result: Partial<Decision> = {}): Decision => {
    rules.push({ rule, verdict: 'decides', text });
    return { offer: null, keep: false, rollout: null, ...result, rules };
  };

  if (device.membership === 'waiting') return end('membership', 'It waits for an operator to approve it.');
  if (device.membership === 'revoked')
    return end('membership', 'It was revoked: the fleet serves it no more.');
  passes('membership', 'The fleet has taken it in.');

  const file = snapshot.devices.get(device.name);
  const role = device.role ?? file?.role ?? null;
  if (role === null) {
    return end('role', `It has no role: neither here nor in devices/${device.name}.yaml.`);
  }
  passes('role', `Its role is ${role}${device.role === null ? `, by devices/${device.name}.yaml` : ''}.`);

  if (device.updatesOff) {
    return end('updates', 'Its updates are switched off: it keeps what it has.', { keep: true });
  }
  passes('updates', 'Its updates are on.');

  const decisions = snapshot.roles.get(role);
  const offer = (offered: Offered): DesiredState => desiredOf(offered, device, snapshot);
  const { rollout = null, baseline = null } = decisions ?? {};
  if (rollout !== null) {
    const { covered, text } = coverage(rollout, device);
    if (covered) return end('rollout', text, { offer: offer(rollout.offered), rollout: rollout.id });
    passes('rollout', text);
  } else passes('rollout', whyNoRollout(role, decisions));

  const held = device.holds?.role === role ? device.holds.commit : null;
  if (rollout !== null && held !== null && decisions?.superseded.has(held) === true) {
    return end(
      'superseded',
      `It keeps ${held.slice(0, 7)}, which a newer release has superseded, until that reaches it.`,
      {
        keep: true,
      },
    );
  }
  if (baseline === null) return end('baseline', `No release of ${role} has gone out to the fleet yet.`);
  const text = `The fleet's release of ${role} is ${baseline.commit.slice(0, 7)}.`;
  return end('baseline', text, { offer: offer(baseline) });
}

/** Whether the open rollout of its role reaches a device yet. */
function coverage(rollout: OpenRollout, device: DecisionDevice): { covered: boolean; text: string } {
  const { offered, stages, progress } = rollout;
  const paused = rollout.state === 'paused' ? ' (paused)' : '';
  const what = `The rollout of ${offered.commit.slice(0, 7)}${paused}`;
  if (progress[0]?.standIn === device.id) {
    return { covered: true, text: `${what} has it as the first device, since nobody is a canary.` };
  }
  // A stage only grows: who has the release keeps it, though its segment was changed meanwhile.
  if (device.holds?.role === offered.role && device.holds.commit === offered.commit) {
    return { covered: true, text: `${what} has reached it.` };
  }
  const index = stageOf(stages, offered.releaseId, device);
  if (index === null) return { covered: false, text: `${what} has no stage for ${device.segment}.` };
  const name = stageName(stages, index);
  if (index < progress.length) return { covered: true, text: `${what} has reached its stage, ${name}.` };
  const at = progress.length === 0 ? 'has not begun' : `is at ${stageName(stages, progress.length - 1)}`;
  return { covered: false, text: `${what} ${at}; its stage is ${name}.` };
}

function whyNoRollout(role: string, decisions: RoleDecisions | undefined): string {
  const halted = decisions?.halted ?? null;
  if (halted === null) return `No rollout of ${role} is open.`;
  return `No rollout of ${role} is open: that of ${halted.commit.slice(0, 7)} was halted.`;
}

/** What goes to the device. The position names statement and values: equal positions, equal desired states. */
function desiredOf(offered: Offered, device: DecisionDevice, snapshot: Snapshot): DesiredState {
  const { role, commit, digest, statement, signature, counter } = offered;
  const file = snapshot.devices.get(device.name);
  const siteName = device.site ?? file?.site ?? null;
  const site = siteName === null ? undefined : snapshot.sites.get(siteName);
  const layers: VariableLayer[] = [];
  if (site !== undefined) layers.push(site.layer);
  if (file !== undefined) layers.push(file.layer);
  const position = `${role}.${counter.toString(36)}.${site?.mark ?? ''}.${file?.mark ?? ''}`;
  return { position, role, commit, digest, statement, signature, layers };
}
