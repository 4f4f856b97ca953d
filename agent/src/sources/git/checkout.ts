import { checkLink, checkPath, FleetError, RELEASE_LIMITS } from '@metrica-fleet/protocol';
import { dirname, join } from 'node:path';
import type { Desired } from '../source.ts';
import { requireSpace } from '../space.ts';
import type { GitContext } from './git.ts';
import { GitFailure } from './problems.ts';
import { listTree, missingBlobs, readBlobs, sizesOf, type TreeEntry } from './objects.ts';

/** What one `cat-file` may give at once, so that memory stays small. Larger files go straight to the disk. Bytes. */
const BATCH = 8 * 1024 * 1024;
/** A pack is a little larger than what it holds when that cannot be compressed. Bytes. */
const PACK_LIMIT = RELEASE_LIMITS.bytes + 16 * 1024 * 1024;

/**
 * Writes the files of a role into an empty folder: listed, judged and measured before the first one is written.
 * Throws `bundle-too-large`, `path-escapes`, `role-invalid` (submodules), `no-space`.
 */
export async function checkOut(context: GitContext, wanted: Desired, folder: string): Promise<void> {
  const { git, cache, ports } = context;
  const entries = await listTree(git, wanted.tree);
  const where = `roles/${wanted.role}`;
  judge(entries, where);
  const missing = await missingBlobs(git, wanted.tree);
  if (missing.length > 0) await cache.fetchBlobs(missing, PACK_LIMIT);
  const sizes = await sizesOf(git, [...new Set(entries.map(({ id }) => id))]);
  const blobs = entries.map((entry) => ({ ...entry, size: sizeIn(sizes, entry, where) }));
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  if (bytes > RELEASE_LIMITS.bytes) throw tooLarge(blobs, where);
  await requireSpace(ports.disk, folder, { bytes, files: blobs.length });
  for (const batch of batchesOf(blobs)) await write(context, { batch, folder, where });
}

interface Blob extends TreeEntry {
  readonly size: number;
}

function judge(entries: readonly TreeEntry[], where: string): void {
  if (entries.length > RELEASE_LIMITS.files) {
    throw new FleetError({
      code: 'bundle-too-large',
      what: `The role holds ${entries.length} files; the limit is ${RELEASE_LIMITS.files}`,
      where,
      remedy: 'Put large data into an image or fetch it at run time; a role is configuration.',
    });
  }
  for (const { mode, path } of entries) {
    checkPath(path, where);
    if (mode !== '160000') continue;
    throw new FleetError({
      code: 'role-invalid',
      what: `${path} is a Git submodule`,
      where: `${where}/${path}`,
      remedy: 'Copy its files into the role: a release must be complete in itself.',
    });
  }
}

function sizeIn(sizes: ReadonlyMap<string, number>, { id, mode, path }: TreeEntry, where: string): number {
  const size = sizes.get(id);
  if (size === undefined) throw missingBlob(`${where}/${path}`);
  if (mode === '120000' && size > RELEASE_LIMITS.path) {
    throw new FleetError({
      code: 'path-escapes',
      what: `The symlink ${path} has a target of ${size} bytes`,
      where,
    });
  }
  return size;
}

/** Groups of at most BATCH bytes; a larger file is a group of its own. */
function batchesOf(blobs: readonly Blob[]): Blob[][] {
  const batches: Blob[][] = [];
  let room = 0;
  for (const blob of blobs) {
    const last = batches.at(-1);
    if (last === undefined || blob.size > room) {
      batches.push([blob]);
      room = BATCH - blob.size;
    } else {
      last.push(blob);
      room -= blob.size;
    }
  }
  return batches;
}

interface Batch {
  readonly batch: readonly Blob[];
  readonly folder: string;
  readonly where: string;
}

async function write(context: GitContext, { batch, folder, where }: Batch): Promise<void> {
  const [first] = batch;
  if (first !== undefined && first.size > BATCH) return writeLarge(context, first, folder);
  const { git, ports } = context;
  const ids = batch.map(({ id }) => id);
  // One header and one line break per blob.
  const contents = await readBlobs(git, ids, BATCH + batch.length * 128);
  for (const [index, { mode, path }] of batch.entries()) {
    const content = contents[index];
    if (!content) throw missingBlob(`${where}/${path}`);
    const to = join(folder, path);
    if (mode === '120000') {
      const target = content.toString('utf8');
      checkLink(path, target, where);
      await ports.disk.link('stage.git.link', to, target);
    } else {
      await ports.disk.write('stage.git.file', to, { content, mode: modeOf(mode) });
    }
  }
}

async function writeLarge({ git, ports }: GitContext, blob: Blob, folder: string): Promise<void> {
  const to = join(folder, blob.path);
  await ports.disk.makeFolder('stage.git.folder', dirname(to));
  await git.run({
    label: 'stage.git.large-file',
    args: ['cat-file', 'blob', blob.id],
    outputTo: to,
    fileLimit: blob.size,
    deadline: 10 * 60_000,
  });
  await ports.disk.chmod('stage.git.mode', to, modeOf(blob.mode));
}

function modeOf(mode: string): number {
  return mode === '100755' ? 0o755 : 0o644;
}

function missingBlob(where: string): FleetError {
  return new GitFailure({ code: 'source-unreachable', what: 'git: the cache lacks a file', where }, false);
}

function tooLarge(blobs: readonly Blob[], where: string): FleetError {
  const [largest] = [...blobs].sort((a, b) => b.size - a.size);
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  const limit = RELEASE_LIMITS.bytes / 1024 / 1024;
  return new FleetError({
    code: 'bundle-too-large',
    what: `The role holds ${Math.ceil(bytes / 1024 / 1024)} MiB; the limit is ${limit} MiB, and ${largest?.path ?? ''} alone has ${Math.ceil((largest?.size ?? 0) / 1024 / 1024)}`,
    where: `${where}/${largest?.path ?? ''}`,
    remedy: 'Put large data into an image or fetch it at run time; a role is configuration.',
  });
}
