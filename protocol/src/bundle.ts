import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { canonicalJson } from './digest.ts';
import { FleetError } from './errors.ts';
import { isFile, parseManifest, type Manifest, type ManifestEntry, type ManifestFile } from './manifest.ts';

/**
 * The bundle: one release as one file, for USB sticks and the overlord's store. A gzip'd tar (ustar, with pax where
 * a name needs it): first `manifest.json` in canonical JSON, then `files/<path>` in the order of the manifest,
 * and nothing else. Owner 0, time 0: equal content gives equal bytes with the same zlib.
 */
export const BUNDLE_MANIFEST = 'manifest.json';
export const BUNDLE_FILES = 'files/';

/** No honest manifest is larger: RELEASE_LIMITS.files entries with paths of ordinary length. Bytes. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

/** Gives the content of one file of the manifest. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/**
 * Packs a release; one file at a time is held in memory. The stream fails with `manifest-mismatch` where what
 * `read` gives is not what the manifest says, and with whatever `read` throws.
 */
export function packBundle(manifest: Manifest, read: ReadFile): Readable {
  const checked = parseManifest(manifest, `manifest of ${manifest.role}`);
  const tar = pack();
  void addEntries(tar, checked, read).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  const gzip = createGzip({ level: 9 });
  tar.on('error', (error) => gzip.destroy(error));
  return tar.pipe(gzip);
}

type Pack = ReturnType<typeof pack>;

async function addEntries(tar: Pack, manifest: Manifest, read: ReadFile): Promise<void> {
  await add(tar, { name: BUNDLE_MANIFEST, mode: 0o644 }, Buffer.from(canonicalJson(manifest)));
  for (const entry of manifest.entries) {
    const name = BUNDLE_FILES + entry.path;
    if (isFile(entry)) {
      const content = await read(entry.path);
      checkContent(entry, content);
      await add(tar, { name, mode: entry.mode === '0755' ? 0o755 : 0o644 }, Buffer.from(content));
    } else {
      await add(tar, { name, mode: 0o777, type: 'symlink', linkname: entry.link }, null);
    }
  }
}

type Header = Pick<Parameters<Pack['entry']>[0], 'name' | 'mode' | 'type' | 'linkname'>;

function add(tar: Pack, header: Header, content: Buffer | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const full = { type: 'file', ...header, mtime: new Date(0), uid: 0, gid: 0 } as const;
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (content === null) tar.entry(full, done);
    else tar.entry({ ...full, size: content.length }, content, done);
  });
}

function checkContent(entry: ManifestFile, content: Uint8Array): void {
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (content.length === entry.size && sha256 === entry.sha256) return;
  throw new FleetError({
    code: 'manifest-mismatch',
    what: `The content of ${entry.path} is not what the manifest says`,
    where: entry.path,
  });
}

/** Name of an entry of the manifest inside the archive. */
export function nameInBundle(entry: ManifestEntry): string {
  return BUNDLE_FILES + entry.path;
}
