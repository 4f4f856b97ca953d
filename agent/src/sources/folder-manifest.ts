import {
  manifestOf,
  RELEASE_LIMITS,
  FleetError,
  type Manifest,
  type ManifestEntry,
} from '@metrica-fleet/protocol';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { METADATA_FOLDER } from '../observe/release.ts';
import type { Disk } from '../ports/disk.ts';

/**
 * The manifest of what lies in a folder, computed from the bytes on the disk: who fetched them does not matter.
 * The executable bit of the owner decides the mode. Throws as manifestOf does, and `bundle-invalid` for what is
 * neither file, folder nor link.
 */
export async function manifestOfFolder(disk: Disk, folder: string, role: string): Promise<Manifest> {
  const entries: ManifestEntry[] = [];
  for (const name of (await disk.list(folder)) ?? []) {
    if (name !== METADATA_FOLDER) await add(disk, { folder, path: name }, entries);
  }
  return manifestOf(role, entries);
}

/** SHA-256 of a file, read in pieces. */
export async function digestOfFile(disk: Disk, path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of disk.stream(path)) hash.update(chunk);
  return hash.digest('hex');
}

async function add(
  disk: Disk,
  { folder, path }: { readonly folder: string; readonly path: string },
  entries: ManifestEntry[],
): Promise<void> {
  const full = join(folder, path);
  const stat = await disk.stat(full);
  if (entries.length > RELEASE_LIMITS.files) return;
  switch (stat?.kind) {
    case 'folder':
      for (const name of (await disk.list(full)) ?? [])
        await add(disk, { folder, path: `${path}/${name}` }, entries);
      return;
    case 'file': {
      const mode = (stat.mode & 0o100) === 0 ? '0644' : '0755';
      entries.push({ path, mode, size: stat.size, sha256: await digestOfFile(disk, full) });
      return;
    }
    case 'link':
      entries.push({ path, link: (await disk.readLink(full)) ?? '' });
      return;
    case 'other':
    case undefined:
      throw new FleetError({
        code: 'bundle-invalid',
        what: `${path} is neither a file, a folder nor a symlink`,
        where: full,
      });
  }
}
