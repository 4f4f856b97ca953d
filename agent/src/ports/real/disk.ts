import { FleetError } from '@metrica-fleet/protocol';
import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Disk, FileStat } from '../disk.ts';
import type { Exec } from '../exec.ts';

/** The real file system. `exec` is for `sync -f`, since Node has no syncfs(2). */
export function realDisk(exec: Exec): Disk {
  return {
    ...reads,
    ...writes,
    async sync(label, path) {
      const { code, stderr } = await exec.run({ label, argv: ['sync', '-f', path], deadline: 120_000 });
      if (code !== 0) throw failed(path, new Error(stderr.trim()));
    },
  };
}

const reads = {
  read: (path: string): Promise<Uint8Array | null> => orNull(fs.readFile(path), path),
  readText: (path: string): Promise<string | null> => orNull(fs.readFile(path, 'utf8'), path),
  async *stream(path: string): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of createReadStream(path)) yield chunk as Buffer;
    } catch (error) {
      throw failed(path, error);
    }
  },
  readLink: async (path: string): Promise<string | null> => {
    try {
      return await fs.readlink(path);
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return null;
      throw failed(path, error);
    }
  },
  list: async (path: string): Promise<readonly string[] | null> => {
    const names = await orNull(fs.readdir(path), path);
    return names === null ? null : names.sort();
  },
  stat: async (path: string): Promise<FileStat | null> => {
    const stat = await orNull(fs.lstat(path), path);
    if (stat === null) return null;
    const kind = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'folder'
        : stat.isSymbolicLink()
          ? 'link'
          : 'other';
    return { kind, size: stat.size, mode: stat.mode & 0o7777 };
  },
  space: async (path: string): Promise<{ bytes: number; inodes: number }> => {
    const { bavail, bsize, ffree } = await fs.statfs(path);
    return { bytes: bavail * bsize, inodes: ffree };
  },
} satisfies Partial<Disk>;

const writes = {
  write: (_label, path, { content, mode = 0o644, append = false }) =>
    guarded(path, async () => {
      await fs.mkdir(dirname(path), { recursive: true });
      await fs.writeFile(path, content, { mode, flag: append ? 'a' : 'w' });
      await fs.chmod(path, mode);
    }),
  replace: (_label, path, content) =>
    guarded(path, async () => {
      await fs.mkdir(dirname(path), { recursive: true });
      await clearTheWay(path);
      const temporary = temporaryFor(path);
      const file = await fs.open(temporary, 'w', 0o644);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, path);
      await syncFolder(dirname(path));
    }),
  append: (_label, path, line) =>
    guarded(path, async () => {
      await fs.mkdir(dirname(path), { recursive: true });
      await fs.appendFile(path, `${line}\n`);
    }),
  makeFolder: (_label, path, mode = 0o755) =>
    guarded(path, async () => {
      await fs.mkdir(path, { recursive: true, mode });
      await fs.chmod(path, mode);
    }),
  link: (_label, path, target) =>
    guarded(path, async () => {
      await fs.mkdir(dirname(path), { recursive: true });
      await fs.symlink(target, path);
    }),
  replaceLink: (_label, path, target) =>
    guarded(path, async () => {
      await fs.mkdir(dirname(path), { recursive: true });
      await clearTheWay(path);
      const temporary = temporaryFor(path);
      await fs.rm(temporary, { force: true, recursive: true });
      await fs.symlink(target, temporary);
      await fs.rename(temporary, path);
      await syncFolder(dirname(path));
    }),
  rename: (_label, from, to) =>
    guarded(to, async () => {
      await fs.mkdir(dirname(to), { recursive: true });
      await fs.rename(from, to);
      await syncFolder(dirname(to));
    }),
  remove: (_label, path) =>
    guarded(path, async () => {
      await fs.rm(path, { recursive: true, force: true });
    }),
  chmod: (_label, path, mode) => guarded(path, () => fs.chmod(path, mode)),
  chown: (_label, path, owner) => guarded(path, () => fs.lchown(path, owner, owner)),
} satisfies Partial<Disk>;

/** A fixed name beside the target: left behind by a crash, it is overwritten by the next try instead of piling up. */
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/**
 * A folder where a file or a link of ours belongs would refuse every rename for ever. Docker makes such a one when
 * somebody mounts `/opt/app_current/…` while the link is not there. It is put aside, since it may hold what is not ours.
 */
async function clearTheWay(path: string): Promise<void> {
  const inTheWay = await fs.lstat(path).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
  if (!inTheWay) return;
  const aside = `${path}.in-the-way`;
  await fs.rm(aside, { force: true, recursive: true });
  await fs.rename(path, aside);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function guarded(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw failed(path, error);
  }
}

async function orNull<T>(reading: Promise<T>, path: string): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw failed(path, error);
  }
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function failed(path: string, cause: unknown): FleetError {
  if (cause instanceof FleetError) return cause;
  const full = isCode(cause, 'ENOSPC', 'EDQUOT');
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FleetError(
    {
      code: full ? 'no-space' : 'disk-failed',
      what: full ? 'The disk is full' : `The disk refused: ${reason}`,
      where: path,
      remedy: full
        ? 'Free space: `docker system df`, `du -x /var | sort -n | tail`.'
        : 'Look at `dmesg`: the card may be failing.',
    },
    { cause },
  );
}
