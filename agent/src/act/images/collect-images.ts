import { problemOf, type Problem } from '@metrica-fleet/protocol';
import type { Deployment } from '../../decide/journal.ts';
import { readable } from '../../observe/readable.ts';
import { freeSpace, isCramped } from '../../sources/space.ts';
import type { Context } from '../context.ts';
import { ownGarbage, spareImages, stillOwn, type Inventory, type Removal } from './garbage.ts';
import { readOwnImages, writeOwnImages } from './own-images.ts';

/** Names of the images that are gone, and why others are still here. */
export interface CollectedImages {
  readonly images: readonly string[];
  readonly problem: Problem | null;
}

const NOTHING: CollectedImages = { images: [], problem: null };

/**
 * Removes the agent's own images that nothing refers to; while the disk is nearly full, one by one, those of others too
 * that no container has. Those of kept deployments stay, also where no container has them: the way back is offline.
 */
export async function collectImages(context: Context, keep: readonly Deployment[]): Promise<CollectedImages> {
  // Of a deployment that was rebuilt from its files nobody knows which images it needs.
  if (keep.some(({ key }) => key === 'rebuilt')) return NOTHING;
  const own = await readOwnImages(context);
  if (own.length === 0 && !(await isShort(context))) return NOTHING;
  const inventory = await takeInventory(context, keep, own);
  const gone: Removal[] = [];
  let problem: Problem | null = null;
  const remove = async (removal: Removal): Promise<void> => {
    try {
      await context.ports.engine.removeImage('collect.image', removal.names);
      gone.push(removal);
    } catch (thrown) {
      problem = problemOf(thrown);
    }
  };
  for (const removal of ownGarbage(inventory)) await remove(removal);
  const ids = new Set(gone.map(({ id }) => id));
  await writeOwnImages(context, stillOwn(inventory, ids));
  for (const removal of spareImages(inventory)) {
    if (!ids.has(removal.id) && (await isShort(context))) await remove(removal);
  }
  return { images: gone.map(({ names }) => names.join(' ').slice(0, 100)), problem };
}

async function takeInventory(
  context: Context,
  keep: readonly Deployment[],
  own: Inventory['own'],
): Promise<Inventory> {
  const { engine, disk } = context.ports;
  const safeMode = (await readable(disk, context.paths.safeModeImage))?.trim() ?? '';
  const pinned = [...keep.flatMap(({ images }) => images), ...(safeMode === '' ? [] : [safeMode])];
  const ids = await engine.imageIds([...pinned, ...own.map(({ reference }) => reference)]);
  return { images: await engine.images(), own, ids, pinned };
}

async function isShort({ ports, paths }: Context): Promise<boolean> {
  return isCramped(await freeSpace(ports.disk, paths));
}
