import { packBundle, type Manifest, type ReadFile } from '@metrica-fleet/protocol';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bundles by content digest, one file each, made once: gzip's bytes differ between versions of zlib. */
export interface ArtifactStore {
  /** Packs a release unless it is there. Returns the size of its bundle in bytes. */
  put(digest: string, manifest: Manifest, read: ReadFile): Promise<number>;
  /** Null where there is none. */
  size(digest: string): Promise<number | null>;
  /** Bytes from `start` to `end`, both included. */
  read(digest: string, range: { readonly start: number; readonly end: number }): Readable;
}

/** Keeps bundles in a folder. What has its final name is complete and on the disk. */
export async function openArtifactStore(folder: string): Promise<ArtifactStore> {
  await mkdir(folder, { recursive: true });
  const pathOf = (digest: string): string => join(folder, `${digest}.tar.gz`);
  const size = async (digest: string): Promise<number | null> =>
    stat(pathOf(digest)).then(
      (found) => found.size,
      () => null,
    );
  return {
    size,
    async put(digest, manifest, read) {
      const found = await size(digest);
      if (found !== null) return found;
      const part = `${pathOf(digest)}.${process.pid}.part`;
      try {
        await pipeline(packBundle(manifest, read), createWriteStream(part, { flush: true }));
        await rename(part, pathOf(digest));
        await syncFolder(folder);
      } finally {
        await rm(part, { force: true });
      }
      return (await size(digest)) ?? 0;
    },
    read: (digest, range) => createReadStream(pathOf(digest), range),
  };
}

/** The name must survive a power cut too, before the database says that the release is there. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
