import { buildDeb } from '@metrica-fleet/agent/deb';
import { join } from 'node:path';
import { FleetRepo } from '../fleet-repo.ts';
import { busyboxImage } from '../images.ts';
import { VirtualPi } from '../pi.ts';
import { NETWORK, RUN } from '../places.ts';
import type { Suite } from '../root-fs.ts';
import { Device } from './device.ts';

/** The image that the template role uses; made here under its public name. */
const IMAGE = 'busybox:1.36.1';

/** A booted Pi with the agent installed and the template's image loaded, but not configured. */
export async function newPi(suite: Suite, name: string): Promise<Device> {
  const pi = await VirtualPi.start({ suite, name });
  const device = new Device(pi);
  await pi.installDeb(await buildDeb(join(RUN, 'deb', name)));
  await loadImages(device, [IMAGE]);
  return device;
}

/** Makes images under the given names and loads them into the Pi's engine. */
export async function loadImages(device: Device, names: readonly string[]): Promise<void> {
  for (const name of names) await device.pi.loadImage(await busyboxImage(name));
}

/** An empty fleet repo, served where the Pis reach it. */
export async function newRepo(): Promise<FleetRepo> {
  return FleetRepo.create(NETWORK.gateway);
}
