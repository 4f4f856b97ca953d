import type { DeviceSummary, Overview } from '@metrica-fleet/protocol/api';
import type { FleetApi } from '../fleet-api.ts';

/** How far a fleet has come. */
export interface Progress {
  /** Devices that have joined. */
  readonly joined: number;
  readonly healthy: number;
  /** Those that are not healthy, by state, as «3 updating, 1 pending»; empty when all are. */
  readonly others: string;
}

/** True of a device that is healthy on the release that the overlord wants it to have. */
export function isConverged({ state, running, wanted }: DeviceSummary): boolean {
  return state === 'healthy' && wanted !== null && running === wanted;
}

/** Counts of the overview in words. Pure. */
export function othersOf(counts: Overview['counts']): string {
  return Object.entries(counts)
    .filter(([state, count]) => state !== 'healthy' && count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}

/** Asks the overlord how far its devices are. */
export async function progressOf(api: FleetApi): Promise<Progress> {
  const { total, counts } = await api.call('overview');
  return { joined: total, healthy: counts.healthy, others: othersOf(counts) };
}

/** How many have converged. Asks for every device: worth it when the counts give hope, or at the end. */
export async function countConverged(api: FleetApi): Promise<number> {
  return (await allDevices(api)).filter(isConverged).length;
}

/** Names of those that have not converged, at most so many. */
export async function stragglers(api: FleetApi, most: number): Promise<readonly string[]> {
  const late = (await allDevices(api)).filter((device) => !isConverged(device));
  const named = late.slice(0, most).map(({ name, state, problem }) => `${name} (${problem ?? state})`);
  return late.length > most ? [...named, `${late.length - most} more`] : named;
}

async function allDevices(api: FleetApi): Promise<readonly DeviceSummary[]> {
  const devices: DeviceSummary[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { readonly items: readonly DeviceSummary[]; readonly next: string | null } = await api.call(
      'listDevices',
      { query: { limit: '200', ...(cursor === '' ? {} : { cursor }) } },
    );
    devices.push(...page.items);
    cursor = page.next;
  }
  return devices;
}
