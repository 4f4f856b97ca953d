import { digestOf, digestOfJson, FleetError, type Digest } from '@metrica-fleet/protocol';
import { basename, dirname, join, normalize, relative } from 'node:path/posix';
import type { Disk } from '../../ports/disk.ts';
import { isWithin } from './host-path.ts';

/** One entry of a tree, with Git's two modes, so that how a release is stored does not change the digest. */
type Entry =
  | { readonly path: string; readonly mode: '0644' | '0755'; readonly sha256: Digest }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly folder: true };

/** A file or a folder by its content. */
export interface Content {
  readonly digest: Digest;
  /** Name under which it is mounted, a part of the digest. */
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** The content of a file or folder; null where there is none. Links inside are kept as they are, as a mount would. */
export async function contentOf(disk: Disk, path: string): Promise<Content | null> {
  const name = basename(path);
  const entries = await entriesOf(disk, path, name);
  return entries.length === 0 ? null : { digest: digestOfJson(entries), name, entries };
}

async function entriesOf(disk: Disk, path: string, as: string): Promise<Entry[]> {
  const stat = await disk.stat(path);
  if (stat?.kind === 'link') return [{ path: as, link: (await disk.readLink(path)) ?? '' }];
  if (stat?.kind === 'file') {
    const bytes = await disk.read(path);
    if (bytes === null) return [];
    return [{ path: as, mode: (stat.mode & 0o100) === 0 ? '0644' : '0755', sha256: digestOf(bytes) }];
  }
  if (stat?.kind !== 'folder') return [];
  const inner: Entry[] = [];
  for (const name of (await disk.list(path)) ?? []) {
    inner.push(...(await entriesOf(disk, join(path, name), join(as, name))));
  }
  return [{ path: as, folder: true }, ...inner];
}

/**
 * Follows the symlinks of a path within a folder, as the engine would when it mounts it. Throws `path-escapes` when
 * one leads out: a release was unpacked without such links, so this one was made by somebody else.
 */
export async function followLinks(disk: Disk, path: string, folder: string): Promise<string> {
  const root = normalize(folder);
  let rest = relative(root, path)
    .split('/')
    .filter((part) => part !== '');
  let here = root;
  for (let hops = 0; rest.length > 0 && hops < 1_000; hops += 1) {
    const [part = '', ...following] = rest;
    const next = join(here, part);
    const link = await disk.readLink(next);
    if (!isWithin(next, root) || link?.startsWith('/') === true) throw escapes(path);
    if (link === null) here = next;
    rest =
      link === null
        ? following
        : [...link.split('/').filter((name) => name !== '' && name !== '.'), ...following];
    if (link !== null) here = dirname(next);
  }
  if (rest.length > 0) throw escapes(path);
  return here;
}

function escapes(path: string): FleetError {
  return new FleetError({
    code: 'path-escapes',
    what: `The mounted path ${path} leads out of the role through a symlink`,
    where: 'compose.yaml',
    remedy: 'A role must be self-contained: copy what it needs into its folder.',
  });
}
