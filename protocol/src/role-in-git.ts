import { digestOf } from './digest.ts';
import { FleetError } from './errors.ts';
import { manifestOf, RELEASE_LIMITS, type Manifest, type ManifestEntry } from './manifest.ts';

/** One file of a role in a Git tree. */
export interface GitBlob {
  /** Git's: 100644, 100755, 120000 for a symlink. */
  readonly mode: string;
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  /** Relative to the role. */
  readonly path: string;
}

/** Arguments of `git` that list a role at a commit, for parseRoleTree. Exit code 128: there is no such role. */
export function listRoleArgs(role: string, commit: string): readonly string[] {
  return ['ls-tree', '-r', '-z', '-l', `${commit}:roles/${role}`];
}

/**
 * Reads what `git ls-tree -r -z -l` printed. Throws `role-invalid` for a submodule, and `bundle-too-large` before a
 * byte of the content has been read.
 */
export function parseRoleTree(role: string, output: string): readonly GitBlob[] {
  const blobs = output.split('\0').filter(Boolean).map(blobOf);
  const submodule = blobs.find(({ mode }) => mode === '160000');
  if (submodule !== undefined) {
    throw new FleetError({
      code: 'role-invalid',
      what: `${submodule.path} is a Git submodule`,
      where: `roles/${role}/${submodule.path}`,
      remedy: 'Copy its files into the role: a release must be complete in itself.',
    });
  }
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  if (bytes <= RELEASE_LIMITS.bytes && blobs.length <= RELEASE_LIMITS.files) return blobs;
  throw new FleetError({
    code: 'bundle-too-large',
    what: `The role holds ${bytes} bytes in ${blobs.length} files; the limits are ${RELEASE_LIMITS.bytes} and ${RELEASE_LIMITS.files}`,
    where: `roles/${role}`,
    remedy: 'Put large data into an image or fetch it at run time; a role is configuration.',
  });
}

/** A line of `git ls-tree -l`: `mode type id size<TAB>path`, the size padded and `-` for a submodule. */
function blobOf(line: string): GitBlob {
  const tab = line.indexOf('\t');
  const [mode = '', , id = '', size = ''] = line.slice(0, tab).split(/ +/);
  return { mode, id, size: size === '-' ? 0 : Number(size), path: line.slice(tab + 1) };
}

/** What to give to `git cat-file --batch` for the content of all blobs. */
export function batchInput(blobs: readonly GitBlob[]): string {
  return blobs.map(({ id }) => `${id}\n`).join('');
}

/** The content of each blob, cut out of what `git cat-file --batch` printed for `batchInput`. */
export function parseBatch(blobs: readonly GitBlob[], output: Buffer): readonly Buffer[] {
  let at = 0;
  return blobs.map(({ size }) => {
    const start = output.indexOf(0x0a, at) + 1;
    at = start + size + 1;
    return output.subarray(start, start + size);
  });
}

/** The manifest of a role in Git, as every device computes it. Throws what manifestOf throws. */
export function manifestOfBlobs(
  role: string,
  blobs: readonly GitBlob[],
  contents: readonly Buffer[],
): Manifest {
  return manifestOf(
    role,
    blobs.map((blob, index) => entryOf(blob, contents[index] ?? Buffer.alloc(0))),
  );
}

function entryOf({ mode, path, size }: GitBlob, content: Buffer): ManifestEntry {
  if (mode === '120000') return { path, link: content.toString('utf8') };
  return { path, mode: mode === '100755' ? '0755' : '0644', size, sha256: digestOf(content) };
}
