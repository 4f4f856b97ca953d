import { FleetError } from '@metrica-fleet/protocol';
import type { Image } from '../../ports/engine.ts';
import { freeSpace, mebibytes, SPACE_MARGIN } from '../../sources/space.ts';
import type { Context } from '../context.ts';

/**
 * Throws `no-space` where images will probably not fit: each is taken to be as large as the one of the same name that is
 * here, so that room is made before a slow line has carried them in vain. Once room was made (`cleared`) only the margin
 * counts: layers that they share with what is here may be most of them, which nobody knows before.
 */
export async function requireRoom(
  { ports, paths }: Pick<Context, 'ports' | 'paths'>,
  missing: readonly string[],
  cleared: boolean,
): Promise<void> {
  const { bytes } = await freeSpace(ports.disk, paths);
  const expected = cleared ? 0 : expectedSize(missing, await ports.engine.images());
  const needed = expected + SPACE_MARGIN.bytes;
  if (bytes >= needed) return;
  throw new FleetError({
    code: 'no-space',
    what: `Pulling ${missing.join(', ')} needs about ${mebibytes(needed)} free, the disk has ${mebibytes(bytes)}`,
    where: paths.docker,
    remedy: 'Free space: `docker system df`, `journalctl --disk-usage`, `du -xh / | sort -h | tail`.',
  });
}

/** Bytes: for each the largest image of the same repository that is here; nothing for those of new ones. */
export function expectedSize(
  missing: readonly string[],
  images: readonly Pick<Image, 'tags' | 'size'>[],
): number {
  const sizes = missing.map((reference) => {
    const same = images.filter(({ tags }) =>
      tags.some((tag) => repositoryOf(tag) === repositoryOf(reference)),
    );
    return Math.max(0, ...same.map(({ size }) => size));
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A reference without its tag and digest: `registry:5000/web` of `registry:5000/web:1@sha256:…`. */
function repositoryOf(reference: string): string {
  return (reference.split('@')[0] ?? reference).replace(/:[^/:]*$/, '');
}
