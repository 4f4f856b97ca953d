import type { Problem, Status } from '@metrica-fleet/protocol';
import type { RolloutDeviceState } from '@metrica-fleet/protocol/api';

/** What a device's own words mean for the rollout of one release. */
export interface Standing {
  readonly state: Exclude<RolloutDeviceState, 'returned'>;
  readonly problem: Problem | null;
}

type Said = Pick<Status, 'state' | 'health' | 'running' | 'wanted' | 'refused' | 'problems'>;
interface Target {
  readonly role: string;
  readonly commit: string;
}

/**
 * Where a device stands with a release, by its status. Healthy is one that runs it, settled, with nothing wrong; one
 * that runs it with something wrong has not come to an end: the agent repairs it or goes back, and says so.
 */
export function standingOf(status: Said, release: Target): Standing {
  const wants = is(status.wanted, release);
  const runs = is(status.running, release);
  if (wants && status.refused !== null && status.refused !== undefined) {
    return { state: 'failed', problem: status.refused };
  }
  const problem = status.problems[0] ?? null;
  if (runsWell(status, release)) return { state: 'healthy', problem: null };
  // Stopped by order it says nothing about the release; stopped for what failed it does.
  if (wants && status.state === 'safe') {
    return { state: problem?.code === 'safe-mode-ordered' ? 'pending' : 'failed', problem };
  }
  if (runs || (wants && status.state !== 'idle')) return { state: 'updating', problem };
  return { state: 'pending', problem: wants ? problem : null };
}

/** True for a device that runs `release`, settled, with nothing wrong. */
export function runsWell(status: Said, release: Target): boolean {
  return is(status.running, release) && status.state === 'idle' && status.health === 'healthy';
}

function is(deployment: Status['running'], { role, commit }: Target): boolean {
  return deployment !== null && deployment.role === role && deployment.commit === commit;
}
