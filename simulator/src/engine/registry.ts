import { FleetError } from '@metrica-fleet/protocol';
import type { Clock, ImagePuller } from '@metrica-fleet/agent';
import { chanceOf } from '../random.ts';
import type { Uplink } from '../host/uplink.ts';

/** Megabytes of an image, the same for every device; most of the images that fleets run are in between. */
const SIZE = { from: 4, to: 90 } as const;
const LAYERS = { from: 2, to: 9 } as const;
/** Milliseconds between two signs of life. */
const PERIOD = 1_000;

export interface Line {
  readonly clock: Clock;
  readonly uplink: Uplink;
  readonly images: Set<string>;
  /** Megabytes in a second. */
  readonly rate: number;
}

/**
 * A registry that has every image but those of the tag `missing`. How large an image is follows from its name. Without
 * a network nothing comes, and the agent's own watch has to notice.
 */
export function registryBehind({ clock, uplink, images, rate }: Line): ImagePuller {
  return {
    async pull(reference, { onProgress, signal }) {
      if (!uplink.up) throw problem('image-unreachable', reference, 'no route to host');
      if (reference.endsWith(':missing')) throw problem('image-not-found', reference, 'manifest unknown');
      const chance = chanceOf(0, 'image', reference);
      const bytes = chance.between(SIZE.from, SIZE.to) * 1e6;
      const layers = chance.between(LAYERS.from, LAYERS.to);
      for (let come = 0; come < bytes;) {
        await clock.sleep(PERIOD);
        if (signal.aborted) throw problem('image-unreachable', reference, 'the pull was cancelled');
        if (!uplink.up) continue;
        come = Math.min(bytes, come + rate * 1e6 * (PERIOD / 1_000));
        onProgress({ bytes: come, layersDone: Math.floor((layers * come) / bytes), layers });
      }
      images.add(reference);
    },
  };
}

function problem(code: 'image-unreachable' | 'image-not-found', reference: string, why: string): FleetError {
  return new FleetError({
    code,
    what: `The image ${reference} cannot be pulled: ${why}`,
    where: reference,
    remedy:
      code === 'image-not-found'
        ? 'Push the image, or correct its name in compose.yaml.'
        : 'Look at the network and at the registry; it is tried again by itself.',
  });
}
