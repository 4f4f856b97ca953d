import type { Image } from '../../ports/engine.ts';
import type { OwnImage } from './own-images.ts';

/** What is known of the images when some of them are to go. */
export interface Inventory {
  readonly images: readonly Image[];
  /** Brought here by the agent. */
  readonly own: readonly OwnImage[];
  /** Ids by reference, of all references that are of interest. */
  readonly ids: Readonly<Record<string, string>>;
  /** References that must stay: of deployments that run, are gone back to, or are on their way; of safe mode. */
  readonly pinned: readonly string[];
}

/** One removal: what the engine is told, and what it is called in the history. */
export interface Removal {
  readonly id: string;
  readonly names: readonly string[];
}

/**
 * The agent's own images that nobody refers to any more. Of an image that somebody has given another name only our name
 * goes, and one whose tag means another image by now goes by its id.
 */
export function ownGarbage({ images, own, ids, pinned }: Inventory): readonly Removal[] {
  const stay = idsOf(ids, pinned);
  return own.flatMap(({ reference, id }) => {
    const image = images.find((one) => one.id === (id ?? ids[reference]));
    if (image === undefined || image.inUse || stay.has(image.id)) return [];
    if (ids[reference] === image.id) return [{ id: image.id, names: [reference] }];
    return image.tags.length === 0 ? [{ id: image.id, names: [image.id] }] : [];
  });
}

/** Of everybody's images those that no container has and nobody needs: nameless ones first, then the oldest. */
export function spareImages({ images, ids, pinned }: Inventory): readonly Removal[] {
  const stay = idsOf(ids, pinned);
  const spare = images.filter(({ id, inUse }) => !inUse && !stay.has(id));
  const nameless = spare.filter(({ tags }) => tags.length === 0);
  const named = spare.filter(({ tags }) => tags.length > 0);
  return [...nameless, ...named].map(({ id, tags }) => ({ id, names: tags.length === 0 ? [id] : tags }));
}

/** What is left of the record: images that are still here, or on their way. */
export function stillOwn({ images, own, ids }: Inventory, gone: ReadonlySet<string>): readonly OwnImage[] {
  const here = new Set(images.map(({ id }) => id));
  return own.filter(({ reference, id }) => {
    const meant = id ?? ids[reference];
    return meant === undefined ? false : here.has(meant) && !gone.has(meant);
  });
}

function idsOf(ids: Inventory['ids'], references: readonly string[]): ReadonlySet<string> {
  return new Set(references.flatMap((reference) => ids[reference] ?? []));
}
