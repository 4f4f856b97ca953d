import { buildDeb } from '@metrica-fleet/agent/deb';
import { join } from 'node:path';
import { busyboxImage } from '../../virtual-pi/images.ts';
import { VirtualPi } from '../../virtual-pi/pi.ts';
import { RUN } from '../../virtual-pi/places.ts';
import { startEngine } from '../../virtual-pi/engine.ts';
import { Device } from '../../virtual-pi/scenarios/device.ts';

/** A booted Pi on trixie with the agent and the stack's image; `prepare` runs before anything is put on it. */
export async function benchPi(
  name: string,
  prepare: (pi: VirtualPi) => Promise<void> = () => Promise.resolve(),
): Promise<Device> {
  await startEngine();
  const pi = await VirtualPi.start({ suite: 'trixie', name: `bench-${name}` });
  try {
    await prepare(pi);
    await pi.installDeb(await buildDeb(join(RUN, 'deb', `bench-${name}`)));
    await pi.loadImage(await busyboxImage('busybox:1.36.1'));
    return new Device(pi);
  } catch (thrown) {
    await pi.destroy();
    throw thrown;
  }
}
