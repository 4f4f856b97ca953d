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
  /** Of the desired state that it says it has; null before the first. */
  readonly position: string | null;
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
  const trail = new Trail();
  const file = snapshot.devices.get(device.name);
  const role = device.role ?? file?.role ?? null;
  const unserved = whyUnserved(device, role, trail);
  if (unserved !== null || role === null) return trail.end(unserved ?? {});

  const decisions = snapshot.roles.get(role);
  const { rollout = null, baseline = null } = decisions ?? {};
  if (rollout === null) trail.passes('rollout', whyNoRollout(role, decisions));
  else {
    const { covered, text } = coverage(rollout, device);
    if (covered) {
      const offer = desiredOf(rollout.offered, device, snapshot);
      return trail.decides('rollout', text).end({ offer, rollout: rollout.id });
    }
    trail.passes('rollout', text);
  }

  if (baseline === null) {
    return trail.decides('baseline', `No release of ${role} has gone out to the fleet yet.`).end({});
  }
  if (counterOf(device.position, role) > baseline.counter) {
    const text = `It has a newer statement for ${role} than the fleet's, and would refuse to go back: it keeps that.`;
    return trail.decides('newer', text).end({ keep: true });
  }
  trail.decides('baseline', `The fleet's release of ${role} is ${baseline.commit.slice(0, 7)}.`);
  return trail.end({ offer: desiredOf(baseline, device, snapshot) });
}

/** The rules that are looked at, as they come. */
class Trail {
  private readonly rules: Rule[] = [];

  passes(rule: string, text: string): void {
    this.rules.push({ rule, verdict: 'passes', text });
  }

  decides(rule: string, text: string): this {
    this.rules.push({ rule, verdict: 'decides', text });
    return this;
  }

  end(result: Partial<Decision>): Decision {
    return { offer: null, keep: false, rollout: null, ...result, rules: this.rules };
  }
}

/** What a device is answered that gets no release, whatever there is; null for one that may have one. */
function whyUnserved(device: DecisionDevice, role: string | null, trail: Trail): Partial<Decision> | null {
  const { membership, name, updatesOff } = device;
  if (membership !== 'active') {
    const why =
      membership === 'waiting'
        ? 'It waits for an operator to approve it.'
        : 'It was revoked: the fleet serves it no more.';
    trail.decides('membership', why);
    return {};
  }
  trail.passes('membership', 'The fleet has taken it in.');
  if (role === null) {
    trail.decides('role', `It has no role: neither here nor in devices/${name}.yaml.`);
    return {};
  }
  trail.passes('role', `Its role is ${role}${device.role === null ? `, by devices/${name}.yaml` : ''}.`);
  if (updatesOff) {
    trail.decides('updates', 'Its updates are switched off: it keeps what it has.');
    return { keep: true };
  }
  trail.passes('updates', 'Its updates are on.');
  return null;
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
  if (counterOf(device.position, offered.role) === offered.counter) {
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
  const position = [role, counter.toString(36), site?.mark ?? '', file?.mark ?? ''].join('.');
  return { position, role, commit, digest, statement, signature, layers };
}

/** The counter of the statement that a device has of a role, by its position; 0 when it has none. */
function counterOf(position: string | null, role: string): number {
  const [name, counter = ''] = position?.split('.') ?? [];
  return name === role ? Number.parseInt(counter, 36) || 0 : 0;
}
