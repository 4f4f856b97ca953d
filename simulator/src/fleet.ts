import type { EnrolFile } from '@metrica-fleet/protocol';
import { Device, type DeviceEvent } from './device.ts';
import { faultsOf, NO_FAULTS } from './faults.ts';
import type { Invitations } from './invitations.ts';
import type { Timeline } from './timeline.ts';

export interface FleetSetup {
  readonly overlord: { readonly url: string; readonly ca: string | null };
  readonly invitations: Invitations;
  readonly seed: number;
  readonly faults: 'none' | 'some';
  readonly timeline: Timeline;
  readonly tell: (event: FleetEvent) => void;
}

export type FleetEvent = DeviceEvent | { readonly event: 'all-joined'; readonly devices: number };

/** Simulated devices by their names, in the order of their invitations. */
export type Fleet = ReadonlyMap<string, Device>;

/** Makes the devices; nothing happens before they are installed. */
export function makeFleet({ overlord, invitations, seed, faults, timeline, tell }: FleetSetup): Fleet {
  const tokens = invitations.flatMap(({ token, devices }) => Array.from({ length: devices }, () => token));
  let waiting = tokens.length;
  const hear = (event: DeviceEvent): void => {
    tell(event);
    if (event.event !== 'joined') return;
    waiting -= 1;
    if (waiting === 0) tell({ event: 'all-joined', devices: tokens.length });
  };
  const devices = tokens.map((token, index) => {
    const name = `pi-${String(index + 1).padStart(4, '0')}`;
    return new Device({
      ...{ name, seed, overlord, timeline, tell: hear },
      faults: faults === 'none' ? NO_FAULTS : faultsOf(seed, name),
      invitation: invitationText({ name, token, overlord }),
    });
  });
  return new Map(devices.map((device) => [device.name, device]));
}

interface Invited {
  readonly name: string;
  readonly token: string;
  readonly overlord: FleetSetup['overlord'];
}

/** What the provisioning leaves on a card. */
function invitationText({ name, token, overlord }: Invited): string {
  const { url, ca } = overlord;
  const file: EnrolFile = {
    url,
    ...(ca === null ? {} : { ca }),
    token,
    name,
    issued_at: `${new Date().toISOString().slice(0, 19)}Z`,
  };
  return `${JSON.stringify(file)}\n`;
}
