import { FleetError } from '@metrica-fleet/protocol';
import type { Disk } from '../ports/disk.ts';

/** Never filled by a release: room for the journal, logs and Docker's own bookkeeping. */
export const SPACE_MARGIN = { bytes: 64 * 1024 * 1024, inodes: 1_000 } as const;

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

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
