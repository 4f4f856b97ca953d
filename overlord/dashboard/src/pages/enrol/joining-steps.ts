import type { DeviceSummary } from '@metrica-fleet/protocol/api';
import type { Step } from '../../ui/step-list.tsx';

/** How far a device is on its way into the fleet: first contact → taken in → first report → healthy. Null: not seen yet. */
export function joiningSteps(device: DeviceSummary | null): readonly Step[] {
  const seen = device !== null;
  const takenIn = device?.membership === 'active';
  const reported = takenIn && device.lastSeenAt !== null;
  const healthy = reported && device.state === 'healthy';
  const failed = reported && device.state === 'failed';
  const steps: readonly (readonly [text: string, done: boolean, note?: string | undefined])[] = [
    ['First contact, with a key of its own', seen],
    ['Taken into the fleet', takenIn, seen && !takenIn ? membershipNote(device) : undefined],
    ['First report', reported],
    [lastText(device), healthy, failed ? (device.problem ?? undefined) : undefined],
  ];
  const current = steps.findIndex(([, done]) => !done);
  return steps.map(([text, done, note], index) => ({
    text,
    state: done
      ? 'done'
      : index === current && (failed || device?.membership === 'revoked')
        ? 'failed'
        : index === current
          ? 'current'
          : 'waiting',
    ...(note === undefined ? {} : { note }),
  }));
}

function membershipNote({ membership }: DeviceSummary): string {
  return membership === 'revoked' ? 'It was revoked.' : 'It waits for your approval, above.';
}

function lastText(device: DeviceSummary | null): string {
  if (device === null) return 'Its role is healthy';
  if (device.role === null) return 'A role: give it one on its page';
  return `${device.role} is healthy`;
}
