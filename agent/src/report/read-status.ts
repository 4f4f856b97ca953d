import { parse, StatusSchema, type Status } from '@metrica-fleet/protocol';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';

/** The status that the last run of this boot left; null where there is none, or none that can be read. */
export async function readStatus(disk: Disk, paths: Paths): Promise<Status | null> {
  const text = await disk.readText(paths.run.status);
  if (text === null) return null;
  try {
    return parse(StatusSchema, JSON.parse(text), { where: paths.run.status });
  } catch {
    return null;
  }
}
