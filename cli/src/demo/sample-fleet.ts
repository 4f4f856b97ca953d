import type { Segment } from '@metrica-fleet/protocol/api';

/** A role of the sample fleet: made from `templates/role`. */
export interface SampleRole {
  readonly name: string;
  readonly description: string;
  /** What its page says. */
  readonly title: string;
  /** Of all devices. Percent; the first role has what the others leave. */
  readonly share: number;
}

/** Screens in a few cafés: what a small team might run. */
export const ROLES: readonly [SampleRole, SampleRole, SampleRole] = [
  { name: 'menu-board', description: 'The menu above the counter.', title: 'Today’s menu', share: 50 },
  { name: 'door-sign', description: 'Open or closed, at the door.', title: 'We are open', share: 30 },
  { name: 'order-screen', description: 'Whose coffee is ready.', title: 'Ready to pick up', share: 20 },
];

/** Where the devices are, and how they greet there. */
export const SITES: readonly [Site, ...Site[]] = [
  { name: 'harbour', greeting: 'Ahoy' },
  { name: 'old-town', greeting: 'Welcome' },
  { name: 'station', greeting: 'All aboard' },
  { name: 'airport', greeting: 'Bon voyage' },
];

interface Site {
  readonly name: string;
  readonly greeting: string;
}

/** Devices that join with one enrolment token. */
export interface Group {
  readonly role: string;
  readonly segment: Segment;
  readonly site: string;
  readonly devices: number;
}

/** Each role with a tenth of its devices as canaries (one at least), a quarter early, over all sites. Pure. */
export function groupsOf(devices: number): readonly Group[] {
  const groups = new Map<string, Group>();
  let seat = 0;
  for (const { name: role, count } of countsOf(devices)) {
    for (let index = 0; index < count; index += 1) {
      const site = SITES[seat % SITES.length] ?? SITES[0];
      seat += 1;
      const segment = segmentOf(index, count);
      const key = `${role} ${segment} ${site.name}`;
      const before = groups.get(key)?.devices ?? 0;
      groups.set(key, { role, segment, site: site.name, devices: before + 1 });
    }
  }
  return [...groups.values()];
}

/** Seconds between two check-ins of a device: quick enough to watch, and no more for this machine the more there are. */
export function intervalOf(devices: number): number {
  return Math.max(10, Math.ceil(devices / 20));
}

function countsOf(devices: number): readonly { readonly name: string; readonly count: number }[] {
  const [first, ...others] = ROLES;
  const rest = others.map(({ name, share }) => ({ name, count: Math.floor((devices * share) / 100) }));
  const taken = rest.reduce((sum, { count }) => sum + count, 0);
  return [{ name: first.name, count: devices - taken }, ...rest];
}

function segmentOf(index: number, count: number): Segment {
  const canaries = Math.max(1, Math.round(count / 10));
  if (index < canaries) return 'canary';
  return index < canaries + Math.round(count / 4) ? 'early' : 'general';
}
