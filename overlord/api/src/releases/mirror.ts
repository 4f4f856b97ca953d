import {
  batchInput,
  contentDigest,
  listRoleArgs,
  manifestOfBlobs,
  parseBatch,
  parseRoleTree,
  type Manifest,
} from '@metrica-fleet/protocol';
import type { RoleFiles } from '@metrica-fleet/protocol/lint';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Git } from './git.ts';

/** The fleet's repo, and the branch of it that the fleet follows. */
export interface Remote {
  /** Anything that `git` fetches from; without credentials. */
  readonly url: string;
  readonly branch: string;
}

/** A role's folder in a tree: the id says whether its content changed. */
export interface RoleTree {
  readonly role: string;
  readonly tree: string;
}

export interface CommitFacts {
  readonly commit: string;
  readonly subject: string;
  readonly message: string;
  readonly author: string;
  readonly committedAt: Date;
}

/** A role's files at a commit, and what identifies them. */
export interface RoleContent {
  readonly files: RoleFiles;
  readonly manifest: Manifest;
  readonly digest: string;
}

/** Fetching from far away over a thin line. Milliseconds. */
const FETCH_DEADLINE = 10 * 60_000;
const HEAD_REF = 'refs/fleet/head';

/** Fetches the branch into the mirror, which is made when there is none. Returns the commit at its head. */
export async function fetchHead(git: Git, folder: string, { url, branch }: Remote): Promise<string> {
  if ((await stat(join(folder, 'HEAD')).catch(() => null)) === null) {
    await mkdir(dirname(folder), { recursive: true });
    await git({ args: ['init', '--quiet', '--bare', folder] });
  }
  const refspec = `+refs/heads/${branch}:${HEAD_REF}`;
  await git({
    args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', url, refspec],
    deadline: FETCH_DEADLINE,
  });
  const { stdout } = await git({ args: ['rev-parse', '--verify', `${HEAD_REF}^{commit}`] });
  return stdout.toString('utf8').trim();
}

/** The roles of a commit: folders in `roles/`. A repo without any has none. */
export async function listRoles(git: Git, commit: string): Promise<readonly RoleTree[]> {
  return (await listFolder(git, commit, 'roles'))
    .filter(({ type }) => type === 'tree')
    .map(({ name, id }) => ({ role: name, tree: id }));
}

/** The names of the YAML files in a folder of a commit, without their ending. */
export async function listYaml(git: Git, commit: string, folder: string): Promise<readonly string[]> {
  return (await listFolder(git, commit, folder))
    .filter(({ type, name }) => type === 'blob' && name.endsWith('.yaml'))
    .map(({ name }) => name.slice(0, -'.yaml'.length));
}

interface Entry {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

async function listFolder(git: Git, commit: string, folder: string): Promise<readonly Entry[]> {
  const { code, stdout } = await git({ args: ['ls-tree', '-z', `${commit}:${folder}`], accept: [128] });
  if (code !== 0) return [];
  return stdout
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [head = '', name = ''] = line.split('\t');
      const [, type = '', id = ''] = head.split(' ');
      return { type, id, name };
    });
}

/** The text of a file at a commit; null where there is none. */
export async function readText(git: Git, commit: string, path: string): Promise<string | null> {
  const { code, stdout } = await git({ args: ['cat-file', 'blob', `${commit}:${path}`], accept: [128] });
  return code === 0 ? stdout.toString('utf8') : null;
}

/** The last commit up to `head` that changed a role: the release is named after it. */
export async function lastChange(git: Git, head: string, role: string): Promise<CommitFacts> {
  const format = ['%H', '%an', '%cI', '%s', '%B'].join('%x00');
  const { stdout } = await git({ args: ['log', '-1', `--format=${format}`, head, '--', `roles/${role}`] });
  const [commit = '', author = '', committedAt = '', subject = '', message = ''] = stdout
    .toString('utf8')
    .split('\0');
  return { commit, author, subject, message: message.trim(), committedAt: new Date(committedAt) };
}

/** A role's files and manifest at a commit, as every device will compute them. Throws what the manifest's rules throw. */
export async function readRole(git: Git, commit: string, role: string): Promise<RoleContent> {
  const { stdout: tree } = await git({ args: listRoleArgs(role, commit) });
  const blobs = parseRoleTree(role, tree.toString('utf8'));
  const { stdout } = await git({ args: ['cat-file', '--batch'], input: batchInput(blobs) });
  const contents = parseBatch(blobs, stdout);
  const manifest = manifestOfBlobs(role, blobs, contents);
  const files = new Map(
    blobs.map(({ path, mode }, index) => {
      const content = contents[index] ?? Buffer.alloc(0);
      return [path, mode === '120000' ? { link: content.toString('utf8') } : content] as const;
    }),
  );
  return { files: { role, files }, manifest, digest: contentDigest(manifest) };
}
