import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Extract } from 'tar-stream';
import { bundleFault, invalidBundle, mismatchedBundle, oversizedBundle } from './bundle-problems.ts';
import { BUNDLE_MANIFEST, MANIFEST_LIMIT, nameInBundle } from './bundle.ts';
import { ByteCounter } from './byte-counter.ts';
import { canonicalJson } from './digest.ts';
import type { FleetError } from './errors.ts';
import {
  isFile,
  parseManifest,
  RELEASE_LIMITS,
  type Manifest,
  type ManifestEntry,
  type ManifestFile,
} from './manifest.ts';

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

export interface UnpackOptions {
  /** The bundle, in pieces: a file or a response. */
  readonly from: AsyncIterable<Uint8Array>;
  /** Names the bundle in errors: its path or URL. */
  readonly where: string;
  /**
   * The manifest, before any file: here the caller compares its digest with the one that a statement or the desired
   * state vouches for, and throws to stop. The bundle itself vouches for nothing.
   */
  onManifest(manifest: Manifest): Promise<void> | void;
  /**
   * One file, in the order of the manifest. `content` must be read to its end; it throws `manifest-mismatch` there
   * when the bytes are not those of the manifest, so what was written before must not count until this returns.
   */
  onFile(file: ManifestFile, content: AsyncIterable<Uint8Array>): Promise<void>;
  onLink(path: string, target: string): Promise<void> | void;
}

/** The largest release, its manifest, and the headers and padding around its entries. Bytes. */
const INFLATED_LIMIT = RELEASE_LIMITS.bytes + MANIFEST_LIMIT + RELEASE_LIMITS.files * 2048;

/**
 * Unpacks a bundle as a stream and trusts nothing in it: the archive must hold exactly what its manifest says, in
 * that order, so there is no place for absolute paths, `..`, links out of the tree, hard links, devices, duplicates
 * or extra entries. What is inflated is counted, so that a small file cannot become a large one. The caller's
 * functions are called one after the other; whatever they throw comes out unchanged.
 *
 * Throws `bundle-invalid` (not such an archive, truncated, or followed by something), `path-escapes`,
 * `bundle-too-large` and `manifest-mismatch`.
 */
export async function unpackBundle(options: UnpackOptions): Promise<Manifest> {
  const { where } = options;
  const compressed = new ByteCounter();
  const gunzip = createGunzip();
  const inflated = new ByteCounter(INFLATED_LIMIT, where);
  const tar = extract();
  // The error of any stage ends all of them, and reaches us where we read the entries.
  const piped = new Promise<Error | null>((resolve) => {
    pipeline(Readable.from(options.from), compressed, gunzip, inflated, tar, (error) =>
      resolve(error ?? null),
    );
  });
  try {
    const { manifest, end } = await readEntries(tar, options);
    const failure = await piped;
    if (failure !== null) throw failure;
    // Node's gunzip ignores zero bytes after its end; tar readers ignore zero blocks.
    if (gunzip.bytesWritten !== compressed.bytes || inflated.bytes !== end)
      throw invalidBundle('has something after its end', where);
    return manifest;
  } catch (error) {
    throw bundleFault(error, where);
  }
}

async function readEntries(tar: AsyncIterable<Entry>, options: UnpackOptions): Promise<Read> {
  let manifest: Manifest | null = null;
  let next = 0;
  let end = 0;
  for await (const entry of tar) {
    const { name, size } = entry.header;
    if (manifest === null) {
      manifest = await readManifest(entry, options.where);
      await options.onManifest(manifest);
    } else {
      const expected = manifest.entries[next];
      next += 1;
      if (expected === undefined || name !== nameInBundle(expected))
        throw outOfPlace(name, expected, options.where);
      await readEntry(entry, expected, options);
    }
    end = endOf(entry, size);
  }
  if (manifest === null) throw invalidBundle(`does not begin with ${BUNDLE_MANIFEST}`, options.where);
  const missing = manifest.entries[next];
  if (missing !== undefined)
    throw mismatchedBundle(`lacks ${missing.path}, which its manifest lists`, options.where);
  return { manifest, end };
}

interface Read {
  readonly manifest: Manifest;
  /** Length of the archive: where its last entry ends, and two empty blocks. Bytes. */
  readonly end: number;
}

/** `byteOffset` is where the content starts; the types of tar-stream do not know it. */
function endOf(entry: Entry, size: number): number {
  const { byteOffset } = entry.header as { byteOffset?: number };
  return (byteOffset ?? 0) + Math.ceil(size / 512) * 512 + 1024;
}

async function readManifest(entry: Entry, where: string): Promise<Manifest> {
  const { name, type, size } = entry.header;
  if (name !== BUNDLE_MANIFEST || type !== 'file')
    throw invalidBundle(`does not begin with ${BUNDLE_MANIFEST}`, where);
  if (size > MANIFEST_LIMIT) throw oversizedBundle(`a manifest of ${size} bytes`, where);
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk as Uint8Array);
  const text = Buffer.concat(chunks).toString('utf8');
  const manifest = parseManifest(jsonOf(text, where), where);
  if (canonicalJson(manifest) !== text)
    throw invalidBundle('has a manifest that is not canonical JSON', where);
  return manifest;
}

async function readEntry(entry: Entry, expected: ManifestEntry, options: UnpackOptions): Promise<void> {
  const { type, size, linkname, mode } = entry.header;
  if (!isFile(expected)) {
    if (type !== 'symlink' || size !== 0 || linkname !== expected.link) {
      throw mismatchedBundle(
        `has ${expected.path}, which is not the symlink that its manifest lists`,
        options.where,
      );
    }
    entry.resume();
    return await options.onLink(expected.path, expected.link);
  }
  const sameMode = mode === Number.parseInt(expected.mode, 8);
  if (type !== 'file' || size !== expected.size || !sameMode) {
    throw mismatchedBundle(
      `has ${expected.path} with another type, size or mode than its manifest says`,
      options.where,
    );
  }
  let complete = false;
  const content = checked({ entry, expected, where: options.where, done: () => (complete = true) });
  await options.onFile(expected, content);
  if (!complete) throw new Error(`onFile did not read ${expected.path} to its end`);
}

interface Checking {
  readonly entry: Entry;
  readonly expected: ManifestFile;
  readonly where: string;
  done(): void;
}

async function* checked(checking: Checking): AsyncGenerator<Uint8Array> {
  const { entry, expected, where } = checking;
  const hash = createHash('sha256');
  try {
    for await (const chunk of entry) {
      hash.update(chunk as Uint8Array);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    // Said here, since whoever writes the file would take it for an error of the disk.
    throw bundleFault(error, where);
  }
  if (hash.digest('hex') !== expected.sha256)
    throw mismatchedBundle(`has ${expected.path} with other content than its manifest says`, where);
  checking.done();
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidBundle('has a manifest that is not JSON', where);
  }
}

function outOfPlace(name: string, expected: ManifestEntry | undefined, where: string): FleetError {
  const instead = expected === undefined ? 'nothing more' : expected.path;
  return mismatchedBundle(
    `has ${JSON.stringify(name.slice(0, 300))} where its manifest lists ${instead}`,
    where,
  );
}
