import {
  canonicalJson,
  contentDigest,
  FleetError,
  isFile,
  type Manifest,
  type ManifestEntry,
  type Release,
} from '@metrica-fleet/protocol';
import { dirname, join } from 'node:path';
import { METADATA_FOLDER, releaseFile } from '../observe/release.ts';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';
import { digestOfFile } from '../sources/folder-manifest.ts';

/** Folders of releases on their way in; the store's own names are digests. */
const INCOMING = '.incoming-';

/** Where the release store lies, and by what it is changed. */
export interface Store {
  readonly disk: Disk;
  readonly paths: Pick<Paths, 'releases'>;
}

/** A fetched release that has been verified and is to be kept. */
export interface Arrived {
  /** Folder that `incomingFolder` gave. */
  readonly incoming: string;
  readonly manifest: Manifest;
  readonly release: Release;
}

/**
 * An empty folder for the files of a release. What an interrupted fetch left in one is removed: the costly part, the
 * download, is kept by the source where it can be.
 */
export async function incomingFolder({ disk, paths }: Store, key: string): Promise<string> {
  await disk.makeFolder('stage.store', paths.releases);
  for (const name of (await disk.list(paths.releases)) ?? []) {
    if (name.startsWith(INCOMING)) await disk.remove('stage.leftover', join(paths.releases, name));
  }
  const folder = join(paths.releases, `${INCOMING}${key.slice(0, 16)}`);
  await disk.makeFolder('stage.incoming', folder);
  return folder;
}

/**
 * Makes an arrived release durable under its digest, and returns its folder. It has its final name only once every
 * byte is on the card. Content that is here already stays where it is, since containers and symlinks may point at it;
 * it is checked file by file and repaired in place, and named after the newest commit that brought it.
 */
export async function keepRelease(store: Store, arrived: Arrived): Promise<string> {
  const { disk, paths } = store;
  const { incoming, manifest, release } = arrived;
  const folder = join(paths.releases, contentDigest(manifest));
  const found = (await disk.stat(folder))?.kind;
  if (found !== undefined && found !== 'folder') await disk.remove('stage.release.no-folder', folder);
  if (found === 'folder') {
    await repair(disk, arrived, folder);
    await disk.replace('stage.release.name', releaseFile(folder), nameText(release));
    await disk.remove('stage.release.twin', incoming);
    return folder;
  }
  const metadata = join(incoming, METADATA_FOLDER);
  await disk.write('stage.release.manifest', join(metadata, 'manifest.json'), {
    content: canonicalJson(manifest),
  });
  await disk.write('stage.release.name', releaseFile(incoming), { content: nameText(release) });
  await seal(disk, incoming, manifest);
  await disk.sync('stage.release.sync', incoming);
  await disk.rename('stage.release.rename', incoming, folder);
  return folder;
}

/** Files of a kept release that are not as its manifest says; empty when it is whole. */
async function damageOf(disk: Disk, folder: string, manifest: Manifest): Promise<readonly ManifestEntry[]> {
  const damaged: ManifestEntry[] = [];
  for (const entry of manifest.entries) {
    if (!(await isWhole(disk, folder, entry))) damaged.push(entry);
  }
  return damaged;
}

/** Throws `role-invalid` where a role brings a folder of the name that we keep for ourselves. */
export async function refuseOwnName(disk: Disk, incoming: string, role: string): Promise<void> {
  if ((await disk.stat(join(incoming, METADATA_FOLDER))) === null) return;
  throw new FleetError({
    code: 'role-invalid',
    what: `The name ${METADATA_FOLDER} is taken: the agent keeps its own notes about a release there`,
    where: `roles/${role}/${METADATA_FOLDER}`,
    remedy: 'Rename it.',
  });
}

function nameText({ role, commit, digest }: Release): string {
  return `${canonicalJson({ role, commit, digest })}\n`;
}

async function repair(disk: Disk, { incoming, manifest }: Arrived, folder: string): Promise<void> {
  const foreign = await removeForeign(disk, manifest, folder);
  const damaged = await damageOf(disk, folder, manifest);
  for (const entry of damaged) {
    const to = join(folder, entry.path);
    if (!isFile(entry)) await disk.replaceLink('stage.repair.link', to, entry.link);
    else {
      await disk.chmod('stage.repair.mode', join(incoming, entry.path), sealedMode(entry));
      await disk.rename('stage.repair.file', join(incoming, entry.path), to);
    }
  }
  if (foreign > 0 || damaged.length > 0) await disk.sync('stage.repair.sync', folder);
}

/** Removes what the manifest does not list, and what is a folder where it lists a file or the other way round. */
async function removeForeign(disk: Disk, { entries }: Manifest, folder: string): Promise<number> {
  const leaves = new Set(entries.map(({ path }) => path));
  const folders = foldersOf(entries);
  let removed = 0;
  const visit = async (inside: string): Promise<void> => {
    for (const name of (await disk.list(join(folder, inside))) ?? []) {
      const path = inside === '' ? name : `${inside}/${name}`;
      if (path === METADATA_FOLDER) continue;
      const isFolder = (await disk.stat(join(folder, path)))?.kind === 'folder';
      if (isFolder && folders.has(path)) await visit(path);
      else if (isFolder || !leaves.has(path)) {
        await disk.remove('stage.repair.foreign', join(folder, path));
        removed += 1;
      }
    }
  };
  await visit('');
  return removed;
}

function foldersOf(entries: readonly ManifestEntry[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { path } of entries) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) folders.add(parent);
  }
  return folders;
}

async function isWhole(disk: Disk, folder: string, entry: ManifestEntry): Promise<boolean> {
  const path = join(folder, entry.path);
  if (!isFile(entry)) return (await disk.readLink(path)) === entry.link;
  const stat = await disk.stat(path);
  if (stat?.kind !== 'file' || stat.size !== entry.size) return false;
  const executable = (stat.mode & 0o100) !== 0;
  if (executable !== (entry.mode === '0755')) return false;
  return (await digestOfFile(disk, path)) === entry.sha256;
}

/** Read-only from here on: whatever writes into a release by mistake fails instead of changing what was verified. */
async function seal(disk: Disk, folder: string, { entries }: Manifest): Promise<void> {
  for (const entry of entries) {
    if (isFile(entry)) await disk.chmod('stage.seal.file', join(folder, entry.path), sealedMode(entry));
  }
  for (const inside of [...foldersOf(entries), '.'])
    await disk.chmod('stage.seal.folder', join(folder, inside), 0o555);
}

function sealedMode({ mode }: { readonly mode: '0644' | '0755' }): number {
  return mode === '0755' ? 0o555 : 0o444;
}
