import type { Disk } from '../ports/disk.ts';

/**
 * A text of the agent's own, or null where there is none or none that can be read: a bad sector, a folder or a loop of
 * links in its place. Each has something to fall back on, and a run that died of it would die every minute.
 */
export async function readable(disk: Disk, path: string): Promise<string | null> {
  try {
    return await disk.readText(path);
  } catch {
    return null;
  }
}
