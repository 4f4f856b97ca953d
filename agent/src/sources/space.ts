import { FleetError } from '@metrica-fleet/protocol';
import { dirname } from 'node:path/posix';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';

/** Never filled by a release: room for the journal, logs and Docker's own bookkeeping. */
export const SPACE_MARGIN = { bytes: 64 * 1024 * 1024, inodes: 1_000 } as const;

/** Below it the disk counts as nearly full, and images that no container has are removed, other people's too. */
const WATERMARK = { bytes: 256 * 1024 * 1024, inodes: 5_000 } as const;

/** What is free, of bytes and of inodes; 0 inodes where the file system counts none. */
export interface Free {
  readonly bytes: number;
  readonly inodes: number;
}

/** What is free where releases and images are kept: the lesser of both. */
export async function freeSpace(
  disk: Disk,
  { releases, docker }: Pick<Paths, 'releases' | 'docker'>,
): Promise<Free> {
  const [one, other] = await Promise.all([spaceAt(disk, releases), spaceAt(disk, docker)]);
  const counted = [one.inodes, other.inodes].filter((inodes) => inodes > 0);
  return { bytes: Math.min(one.bytes, other.bytes), inodes: counted.length === 0 ? 0 : Math.min(...counted) };
}

/** A folder that is not there yet will be where the one above it is. */
async function spaceAt(disk: Disk, path: string): Promise<Free> {
  try {
    return await disk.space(path);
  } catch (thrown) {
    if (dirname(path) === path) throw thrown;
    return await spaceAt(disk, dirname(path));
  }
}

/** Below the watermark. */
export function isCramped({ bytes, inodes }: Free): boolean {
  return bytes < WATERMARK.bytes || (inodes > 0 && inodes < WATERMARK.inodes);
}

export interface Need {
  /** Size of what is about to be written. Bytes. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * Throws `no-space` unless twice the need and a margin are free where `folder` will be: the copy in staging and the
 * copy of mounted files beside it.
 */
export async function requireSpace(disk: Disk, folder: string, need: Need): Promise<void> {
  const free = await disk.space(folder);
  const bytes = need.bytes * 2 + SPACE_MARGIN.bytes;
  const inodes = need.files * 2 + SPACE_MARGIN.inodes;
  // btrfs and some network file systems count no inodes and report 0.
  const inodesShort = free.inodes > 0 && free.inodes < inodes;
  if (free.bytes >= bytes && !inodesShort) return;
  throw new FleetError({
    code: 'no-space',
    what: inodesShort
      ? `The release needs ${inodes} free inodes, the disk has ${free.inodes}`
      : `The release needs ${mebibytes(bytes)} free, the disk has ${mebibytes(free.bytes)}`,
    where: folder,
    remedy: 'Free space: `docker system df`, `journalctl --disk-usage`, `du -xh / | sort -h | tail`.',
  });
}

/** For people. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
