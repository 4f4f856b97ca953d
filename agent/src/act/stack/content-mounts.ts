import { digestOfJson, type Digest } from '@metrica-fleet/protocol';
import { dirname, join } from 'node:path/posix';
import type { Disk } from '../../ports/disk.ts';
import { contentOf } from './content.ts';

/** One content-addressed copy: `<mounts>/<digest>/<name>`. */
export interface Copy {
  readonly digest: Digest;
  readonly target: string;
  readonly from: { readonly path: string } | { readonly text: string };
}

/** The copy of a text, as a file of its own. */
export function textCopy(mounts: string, name: string, text: string): Copy {
  const digest = digestOfJson({ name, text });
  return { digest, target: join(mounts, digest, name), from: { text } };
}

/** The folder that holds a copy, and its name while it is being made. */
function placesOf({ target, digest }: Copy): { folder: string; temporary: string } {
  const folder = dirname(target);
  return { folder, temporary: join(dirname(folder), `.${digest}.tmp`) };
}

/**
 * Makes the copies that are not there, each complete before it gets its name. One that is there is used after its
 * content has been compared with its name: a power cut on a bad card, or a hand, may have changed it.
 */
export async function makeCopies(disk: Disk, copies: readonly Copy[]): Promise<void> {
  const needed: Copy[] = [];
  for (const copy of copies) if (!(await isWhole(disk, copy))) needed.push(copy);
  for (const copy of needed) await fill(disk, copy);
  const [first] = needed;
  if (first === undefined) return;
  await disk.sync('mounts.sync', placesOf(first).temporary);
  for (const copy of needed) {
    const { folder, temporary } = placesOf(copy);
    await disk.remove('mounts.clear', folder);
    await disk.rename('mounts.complete', temporary, folder);
  }
}

async function isWhole(disk: Disk, { target, digest, from }: Copy): Promise<boolean> {
  if ('text' in from) return (await disk.readText(target)) === from.text;
  return (await contentOf(disk, target))?.digest === digest;
}

async function fill(disk: Disk, copy: Copy): Promise<void> {
  const { temporary } = placesOf(copy);
  const name = copy.target.slice(copy.target.lastIndexOf('/') + 1);
  await disk.remove('mounts.discard', temporary);
  await disk.makeFolder('mounts.folder', temporary);
  if ('text' in copy.from) {
    await disk.write('mounts.file', join(temporary, name), { content: copy.from.text });
    return;
  }
  await copyTree(disk, { from: copy.from.path, to: join(temporary, name) });
}

/** Copies a file, a link or a folder, with Git's two modes. The label is that of the copies that it makes. */
export async function copyTree(disk: Disk, { from, to }: { from: string; to: string }): Promise<void> {
  const stat = await disk.stat(from);
  if (stat?.kind === 'link') return disk.link('mounts.link', to, (await disk.readLink(from)) ?? '');
  if (stat?.kind === 'file') {
    const content = (await disk.read(from)) ?? new Uint8Array();
    return disk.write('mounts.file', to, { content, mode: (stat.mode & 0o100) === 0 ? 0o644 : 0o755 });
  }
  if (stat?.kind !== 'folder') return;
  await disk.makeFolder('mounts.folder', to);
  for (const name of (await disk.list(from)) ?? []) {
    await copyTree(disk, { from: join(from, name), to: join(to, name) });
  }
}
