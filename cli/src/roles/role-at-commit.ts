import {
  batchInput,
  FleetError,
  listRoleArgs,
  manifestOfBlobs,
  parseBatch,
  parseRoleTree,
  type GitBlob,
  type Manifest,
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
 * conversion. Throws `role-not-found` with the roles that exist, and what parseRoleTree and manifestOf throw.
 */
export async function roleAtCommit({ repo, role, commit }: RoleQuestion): Promise<RoleAtCommit> {
  const id = await resolveCommit(repo, commit);
  const blobs = await listBlobs({ repo, role, commit: id });
  const { stdout } = await exec({
    argv: ['git', 'cat-file', '--batch'],
    cwd: repo,
    input: batchInput(blobs),
  });
  const contents = parseBatch(blobs, stdout);
  const byPath = new Map(blobs.map(({ path }, index) => [path, contents[index]]));
  return {
    role,
    commit: id,
    manifest: manifestOfBlobs(role, blobs, contents),
    read: (path) => {
      const content = byPath.get(path);
      return content === undefined
        ? Promise.reject(new Error(`${path} is not in the role`))
        : Promise.resolve(content);
    },
  };
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

async function listBlobs({ repo, role, commit }: RoleQuestion): Promise<readonly GitBlob[]> {
  const argv = ['git', ...listRoleArgs(role, commit)] as const;
  const { code, stdout } = await exec({ argv, cwd: repo, accept: [128] });
  if (code !== 0) throw await notFound(repo, role, commit);
  return parseRoleTree(role, stdout.toString('utf8'));
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
