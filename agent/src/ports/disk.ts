import type { Label } from './ports.ts';

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
}

/** Reads never throw for what is absent: they return null. Writes carry a label each (see Label). */
export interface Disk {
  read(path: string): Promise<Uint8Array | null>;
  readText(path: string): Promise<string | null>;
  /** The content of a file in pieces, for what may be too large for memory. Throws where there is none. */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** Names in a folder, sorted; null where there is none. */
  list(path: string): Promise<readonly string[] | null>;
  /** Does not follow links. */
  stat(path: string): Promise<FileStat | null>;
  readLink(path: string): Promise<string | null>;
  /** Free bytes and inodes for the file system that holds a path. */
  space(path: string): Promise<{ readonly bytes: number; readonly inodes: number }>;

  /** Writes a file in place, not durable by itself: for files in staging and on tmpfs. Makes its folder. What `content` throws comes out unchanged if it is a FleetError. */
  write(
    label: Label,
    path: string,
    file: {
      readonly content: string | Uint8Array | AsyncIterable<Uint8Array>;
      readonly mode?: number;
      /** Goes on behind what is there. Default: replaces it. */
      readonly append?: boolean;
    },
  ): Promise<void>;
  /** Durable and atomic: temporary name, fsync, rename, fsync of the folder. A reader sees the old or the new text, never less. A folder of that name is put aside. */
  replace(label: Label, path: string, content: string): Promise<void>;
  /** Appends a line; not durable by itself. */
  append(label: Label, path: string, line: string): Promise<void>;
  /** Makes a folder and its parents. */
  makeFolder(label: Label, path: string, mode?: number): Promise<void>;
  /** Makes a symlink in staging; the name must be free. */
  link(label: Label, path: string, target: string): Promise<void>;
  /** Atomic and durable swap of a symlink: one rename(2) over the old one, fsync of the folder. A folder of that name is put aside. */
  replaceLink(label: Label, path: string, target: string): Promise<void>;
  /** rename(2) and fsync of the folder of the new name. */
  rename(label: Label, from: string, to: string): Promise<void>;
  /** Removes a file, a link or a whole folder; silent where there is none. */
  remove(label: Label, path: string): Promise<void>;
  chmod(label: Label, path: string, mode: number): Promise<void>;
  chown(label: Label, path: string, owner: number): Promise<void>;
  /** syncfs(2): everything written to the file system that holds the path is on the card when this returns. */
  sync(label: Label, path: string): Promise<void>;
}
