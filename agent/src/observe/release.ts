import { parse, ReleaseSchema, type Release } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import type { Disk } from '../ports/disk.ts';
import { readable } from './readable.ts';

/** Folder inside a stored release that holds what we know about it. No role may have a folder of this name. */
export const METADATA_FOLDER = '.fleet';

/** Path of the file that names a stored release. */
export function releaseFile(folder: string): string {
  return join(folder, METADATA_FOLDER, 'release.json');
}

/** Which release a folder of the store holds; null where there is none or its name cannot be read. */
export async function readRelease(disk: Disk, folder: string): Promise<Release | null> {
  const text = await readable(disk, releaseFile(folder));
  if (text === null) return null;
  try {
    return parse(ReleaseSchema, JSON.parse(text), { where: releaseFile(folder) });
  } catch {
    return null;
  }
}
