import {
  digestOf,
  FleetError,
  manifestOf,
  RELEASE_LIMITS,
  type Manifest,
  type ManifestEntry,
  type ReadFile,
} from '@metrica-fleet/protocol';
import { exec } from '../exec.ts';

export interface RoleQuestion {
  /** The fleet repo: any folder in its work tree, or a bare repository. */
  readonly repo: string;
  readonly role: string;
  /** Anything that Git resolves to a commit. */
  readonly commit: string;
}

/** A role as it is in a commit: what a device would get, whatever lies in the work tree. */
export interface RoleAtCommit {
  readonly role: string;
  /** Full id. */
  readonly commit: string;
  readonly manifest: Manifest;
  readonly read: ReadFile;
}

/**
 * Reads a role out of a Git commit, with the same rules as a device: Git's bytes without attributes or line-ending
 * conversion. Throws `role-not-found` with the roles that exist, `role-invalid` for a submodule, and what manifestOf
 * throws.
 */
export async function roleAtCommit({ repo, role, commit }: RoleQuestion): Promise<RoleAtCommit> {
  const id = await resolveCommit(repo, commit);
  const blobs = await listBlobs({ repo, role, commit: id });
  const contents = await readAll(repo, blobs);
  const entries = blobs.map((blob, index) => entryOf(blob, contents[index] ?? Buffer.alloc(0)));
  const byPath = new Map(blobs.map(({ path }, index) => [path, contents[index]]));
  return {
    role,
    commit: id,
    manifest: manifestOf(role, entries),
    read: (path) => {
      const content = byPath.get(path);
      return content === undefined
        ? Promise.reject(new Error(`${path} is not in the role`))
        : Promise.resolve(content);
    },
  };
}

interface Blob {
  readonly mode: string;
  readonly id: string;
  readonly size: number;
  readonly path: string;
}

async function resolveCommit(repo: string, commit: string): Promise<string> {
  const argv = ['git', 'rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`] as const;
  const { code, stdout } = await exec({ argv, cwd: repo, accept: [1, 128] });
  if (code === 0) return stdout.toString('utf8').trim();
  throw new FleetError({
    code: 'input-invalid',
    what: `There is no commit ${commit}`,
    where: repo,
    remedy: 'Give --repo a fleet repo and --commit a commit, branch or tag of it.',
  });
}

async function listBlobs({ repo, role, commit }: RoleQuestion): Promise<readonly Blob[]> {
  const argv = ['git', 'ls-tree', '-r', '-z', '-l', `${commit}:roles/${role}`] as const;
  const { code, stdout } = await exec({ argv, cwd: repo, accept: [128] });
  if (code !== 0) throw await notFound(repo, role, commit);
  const blobs = stdout.toString('utf8').split('\0').filter(Boolean).map(blobOf);
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
function blobOf(line: string): Blob {
  const tab = line.indexOf('\t');
  const [mode = '', , id = '', size = ''] = line.slice(0, tab).split(/ +/);
  return { mode, id, size: size === '-' ? 0 : Number(size), path: line.slice(tab + 1) };
}

async function readAll(repo: string, blobs: readonly Blob[]): Promise<readonly Buffer[]> {
  const { stdout } = await exec({
    argv: ['git', 'cat-file', '--batch'],
    cwd: repo,
    input: blobs.map(({ id }) => `${id}\n`).join(''),
  });
  let at = 0;
  return blobs.map(({ size }) => {
    const start = stdout.indexOf(0x0a, at) + 1;
    at = start + size + 1;
    return stdout.subarray(start, start + size);
  });
}

function entryOf({ mode, path, size }: Blob, content: Buffer): ManifestEntry {
  if (mode === '120000') return { path, link: content.toString('utf8') };
  return { path, mode: mode === '100755' ? '0755' : '0644', size, sha256: digestOf(content) };
}

// eslint-disable-next-line max-params -- the three words of the sentence that it makes
async function notFound(repo: string, role: string, commit: string): Promise<FleetError> {
  const argv = ['git', 'ls-tree', '--name-only', '-d', `${commit}:roles`] as const;
  const { code, stdout } = await exec({ argv, cwd: repo, accept: [128] });
  const roles = code === 0 ? stdout.toString('utf8').trim().split('\n').filter(Boolean) : [];
  return new FleetError({
    code: 'role-not-found',
    what: `There is no role ${role} at commit ${commit.slice(0, 12)}`,
    where: `roles/${role}`,
    remedy: roles.length === 0 ? 'The repo has no folder roles/.' : `The roles there: ${roles.join(', ')}.`,
  });
}
