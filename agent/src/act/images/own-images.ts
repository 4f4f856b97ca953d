import { parse } from '@metrica-fleet/protocol';
import { Array as List, Literal, Null, Object as Obj, String as Str, Union, type Static } from 'typebox';
import { readable } from '../../observe/readable.ts';
import type { Context } from '../context.ts';

const OwnImageSchema = Obj({
  reference: Str(),
  /** What the reference meant when it had come; null while it is on its way. A tag may mean another image later. */
  id: Union([Str(), Null()]),
});
const FileSchema = Obj({ schemaVersion: Literal(1), images: List(OwnImageSchema) });

/** An image that the agent itself has brought onto the device. All others are somebody else's. */
export type OwnImage = Static<typeof OwnImageSchema>;

type Place = Pick<Context, 'ports' | 'paths'>;

/** What the agent has pulled. A record that cannot be read is empty: then the images are nobody's, and stay. */
export async function readOwnImages({ ports, paths }: Place): Promise<readonly OwnImage[]> {
  const text = await readable(ports.disk, paths.images);
  if (text === null) return [];
  try {
    return parse(FileSchema, JSON.parse(text), { where: paths.images }).images;
  } catch {
    return [];
  }
}

/** Writes the record where it is not the same already. */
export async function writeOwnImages(place: Place, images: readonly OwnImage[]): Promise<void> {
  const before = JSON.stringify(await readOwnImages(place));
  if (JSON.stringify(images) === before) return;
  const text = `${JSON.stringify({ schemaVersion: 1, images })}\n`;
  await place.ports.disk.replace('images.record', place.paths.images, text);
}

/** Before a pull: what is not here yet will be ours, also when nobody hears how the pull ends. */
export async function claimImages(place: Place, references: readonly string[]): Promise<void> {
  const own = await readOwnImages(place);
  const claimed = references
    .filter((reference) => !own.some((image) => image.reference === reference && image.id === null))
    .map((reference) => ({ reference, id: null }));
  if (claimed.length > 0) await writeOwnImages(place, [...own, ...claimed]);
}

/** After a pull: which images they are. */
export async function settleClaims(place: Place): Promise<void> {
  const own = await readOwnImages(place);
  const open = own.filter(({ id }) => id === null).map(({ reference }) => reference);
  if (open.length === 0) return;
  const ids = await place.ports.engine.imageIds(open);
  const settled = own.map(({ reference, id }) => ({ reference, id: id ?? ids[reference] ?? null }));
  const distinct = new Map(settled.map((image) => [`${image.reference} ${image.id}`, image]));
  await writeOwnImages(place, [...distinct.values()]);
}
