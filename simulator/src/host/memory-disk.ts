import { FleetError } from '@metrica-fleet/protocol';
import type { Disk, FileStat } from '@metrica-fleet/agent';
import { basename, dirname } from 'node:path/posix';

interface File {
  readonly kind: 'file';
  chunks: Uint8Array[];
  mode: number;
}

interface Folder {
  readonly kind: 'folder';
  readonly entries: Map<string, Node>;
  mode: number;
}

interface Link {
  readonly kind: 'link';
  readonly target: string;
}

type Node = File | Folder | Link;

/** Where a path leads: `folder` is null where something on the way is not there or no folder. */
interface Place {
  readonly folder: Folder | null;
  readonly name: string;
  readonly node: Node | null;
}

/** Links that a path may lead over; the kernel's own limit. */
const HOPS = 40;
/** A card of 32 GB with a system on it. */
const FREE = { bytes: 24_000_000_000, inodes: 1_800_000 } as const;

/** Hears of every text that is written, replaced or appended, after it was. */
export type DiskWatcher = (path: string, text: string) => void;

/** A file system in memory, for the agent and for what runs beside it on a simulated host. Everything is durable at once. */
export class MemoryDisk implements Disk {
  private readonly root: Folder = { kind: 'folder', entries: new Map(), mode: 0o755 };
  private readonly watcher: DiskWatcher;

  constructor(watcher: DiskWatcher = () => undefined) {
    this.watcher = watcher;
  }

  read(path: string): Promise<Uint8Array | null> {
    return attempt(() => {
      const { node } = this.locate(path, true);
      if (node?.kind === 'folder') throw refused(path, 'EISDIR: it is a folder');
      return node?.kind === 'file' ? Buffer.concat(node.chunks) : null;
    });
  }

  async readText(path: string): Promise<string | null> {
    const bytes = await this.read(path);
    return bytes === null ? null : Buffer.from(bytes).toString('utf8');
  }

  async *stream(path: string): AsyncIterable<Uint8Array> {
    const bytes = await this.read(path);
    if (bytes === null) throw refused(path, 'ENOENT: it is not there');
    yield bytes;
  }

  list(path: string): Promise<readonly string[] | null> {
    return attempt(() => {
      const { node } = this.locate(path, true);
      return node?.kind === 'folder' ? [...node.entries.keys()].sort() : null;
    });
  }

  stat(path: string): Promise<FileStat | null> {
    return attempt(() => {
      const { node } = this.locate(path, false);
      switch (node?.kind) {
        case undefined:
          return null;
        case 'link':
          return { kind: 'link', size: node.target.length, mode: 0o777 };
        case 'folder':
          return { kind: 'folder', size: 4_096, mode: node.mode };
        case 'file':
          return { kind: 'file', size: sizeOf(node), mode: node.mode };
      }
    });
  }

  readLink(path: string): Promise<string | null> {
    return attempt(() => {
      const { node } = this.locate(path, false);
      return node?.kind === 'link' ? node.target : null;
    });
  }

  space(): Promise<{ readonly bytes: number; readonly inodes: number }> {
    return Promise.resolve(FREE);
  }

  async write(
    _label: string,
    path: string,
    { content, mode = 0o644, append = false }: Parameters<Disk['write']>[2],
  ): Promise<void> {
    const file = this.fileAt(path);
    file.mode = mode;
    if (!append) file.chunks = [];
    // Piece by piece: what has come before the power goes is on the card, as on a real one.
    for await (const chunk of piecesOf(content)) file.chunks.push(chunk);
    if (typeof content === 'string') this.watcher(path, content);
  }

  replace(_label: string, path: string, content: string): Promise<void> {
    return attempt(() => {
      this.putAside(path);
      this.put(path, { kind: 'file', chunks: [Buffer.from(content)], mode: 0o644 });
      this.watcher(path, content);
    });
  }

  append(_label: string, path: string, line: string): Promise<void> {
    return attempt(() => {
      this.fileAt(path).chunks.push(Buffer.from(`${line}\n`));
      this.watcher(path, line);
    });
  }

  makeFolder(_label: string, path: string, mode = 0o755): Promise<void> {
    return attempt(() => {
      this.folderAt(path).mode = mode;
    });
  }

  link(_label: string, path: string, target: string): Promise<void> {
    return attempt(() => {
      if (this.locate(path, false).node !== null) throw refused(path, 'EEXIST: the name is taken');
      this.put(path, { kind: 'link', target });
    });
  }

  replaceLink(_label: string, path: string, target: string): Promise<void> {
    return attempt(() => {
      this.putAside(path);
      this.put(path, { kind: 'link', target });
    });
  }

  rename(_label: string, from: string, to: string): Promise<void> {
    return attempt(() => {
      const { folder, name, node } = this.locate(from, false);
      if (folder === null || node === null) throw refused(from, 'ENOENT: it is not there');
      const there = this.locate(to, false).node;
      const blocked = there?.kind === 'folder' && (node.kind !== 'folder' || there.entries.size > 0);
      if (blocked) throw refused(to, 'ENOTEMPTY: a folder is in the way');
      folder.entries.delete(name);
      this.put(to, node);
    });
  }

  remove(_label: string, path: string): Promise<void> {
    return attempt(() => {
      const { folder, name } = this.locate(path, false);
      folder?.entries.delete(name);
    });
  }

  chmod(_label: string, path: string, mode: number): Promise<void> {
    return attempt(() => {
      const { node } = this.locate(path, true);
      if (node === null || node.kind === 'link') throw refused(path, 'ENOENT: it is not there');
      node.mode = mode;
    });
  }

  /** Nobody on a simulated host asks whose a file is. */
  chown(): Promise<void> {
    return Promise.resolve();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  private locate(path: string, follow: boolean): Place {
    let rest = partsOf(path);
    let way: Folder[] = [this.root];
    let here: Place = { folder: null, name: '', node: this.root };
    for (let hops = 0; rest.length > 0;) {
      const [name = '', ...following] = rest;
      const folder = way.at(-1) ?? this.root;
      const node = name === '..' ? (way.at(-2) ?? this.root) : (folder.entries.get(name) ?? null);
      rest = following;
      if (node?.kind === 'link' && (follow || rest.length > 0)) {
        hops += 1;
        if (hops > HOPS) throw refused(path, 'ELOOP: too many links');
        if (node.target.startsWith('/')) way = [this.root];
        rest = [...partsOf(node.target), ...rest];
        here = { folder, name, node };
        continue;
      }
      here = { folder, name, node };
      if (rest.length === 0) break;
      if (node?.kind !== 'folder') return { folder: null, name: rest.at(-1) ?? '', node: null };
      way = name === '..' ? way.slice(0, Math.max(1, way.length - 1)) : [...way, node];
    }
    return here;
  }

  private folderAt(path: string): Folder {
    const { node } = this.locate(path, true);
    if (node?.kind === 'folder') return node;
    if (node !== null) throw refused(path, 'ENOTDIR: it is no folder');
    const made: Folder = { kind: 'folder', entries: new Map(), mode: 0o755 };
    this.folderAt(dirname(path)).entries.set(basename(path), made);
    return made;
  }

  private fileAt(path: string): File {
    const { node } = this.locate(path, true);
    if (node?.kind === 'file') return node;
    if (node?.kind === 'folder') throw refused(path, 'EISDIR: it is a folder');
    const made: File = { kind: 'file', chunks: [], mode: 0o644 };
    this.put(path, made);
    return made;
  }

  private put(path: string, node: Node): void {
    this.folderAt(dirname(path)).entries.set(basename(path), node);
  }

  private putAside(path: string): void {
    const { folder, name, node } = this.locate(path, false);
    if (node?.kind === 'folder') folder?.entries.set(`${name}.in-the-way`, node);
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function sizeOf({ chunks }: File): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

async function* piecesOf(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

/** What is refused is a rejection, as with a real disk, and never an exception of the call itself. */
async function attempt<T>(work: () => T): Promise<T> {
  return await Promise.resolve().then(work);
}

function refused(path: string, why: string): FleetError {
  return new FleetError({
    code: 'disk-failed',
    what: `The disk refused: ${why}`,
    where: path,
    remedy: 'Look at `dmesg`: the card may be failing.',
  });
}
