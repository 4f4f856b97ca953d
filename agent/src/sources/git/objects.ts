import type { Git } from './command.ts';
import { GitFailure } from './problems.ts';

/** An entry of a Git tree. */
export interface TreeEntry {
  /** `040000` folder, `100644` and `100755` file, `120000` symlink, `160000` submodule. */
  readonly mode: string;
  readonly id: string;
  /** Relative to the repository, or to the tree that was listed. */
  readonly path: string;
}

/** Entries of a tree or commit: those at `path` (with a slash at its end: inside it), or all below where there is none. */
export async function listTree(git: Git, treeish: string, path?: string): Promise<readonly TreeEntry[]> {
  const { stdout } = await git.run({
    label: 'git.list-tree',
    args: path === undefined ? ['ls-tree', '-r', '-z', treeish] : ['ls-tree', '-z', treeish, path],
    maxOutput: 16 * 1024 * 1024,
  });
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
      return { mode, id, path: line.slice(tab + 1) };
    });
}

/** Those of the blobs below a tree whose content is not in the cache (a partial clone). */
export async function missingBlobs(git: Git, tree: string): Promise<readonly string[]> {
  const { stdout } = await git.run({
    label: 'git.missing',
    args: ['rev-list', '--objects', '--no-object-names', '--missing=print', tree],
  });
  return stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => line.startsWith('?'))
    .map((line) => line.slice(1));
}

/** Sizes of blobs that are in the cache, in bytes, without reading them. */
export async function sizesOf(git: Git, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await git.run({
    label: 'git.sizes',
    args: ['cat-file', '--batch-check=%(objectname) %(objectsize)'],
    input: ids.map((id) => `${id}\n`).join(''),
  });
  const sizes = new Map<string, number>();
  for (const line of stdout.toString('latin1').split('\n')) {
    const [id = '', size = ''] = line.split(' ');
    if (/^\d+$/.test(size)) sizes.set(id, Number(size));
  }
  return sizes;
}

/** Contents of blobs (or `<commit>:<path>`), in the order of `names`; null for what does not exist. */
export async function readBlobs(
  git: Git,
  names: readonly string[],
  maxOutput: number,
): Promise<readonly (Buffer | null)[]> {
  const { stdout } = await git.run({
    label: 'git.read',
    args: ['cat-file', '--batch=%(objecttype) %(objectsize)'],
    input: names.map((name) => `${name}\n`).join(''),
    maxOutput,
  });
  const contents: (Buffer | null)[] = [];
  let at = 0;
  while (contents.length < names.length) {
    const end = stdout.indexOf(0x0a, at);
    if (end < 0) throw cut();
    const [type, length] = stdout.toString('utf8', at, end).split(' ').slice(-2);
    if (type !== 'blob') {
      // «<name> missing», or a folder where a file should be: neither is a file. A folder's content is skipped.
      contents.push(null);
      at = end + 1 + (length !== undefined && /^\d+$/.test(length) ? Number(length) + 1 : 0);
      continue;
    }
    const start = end + 1;
    contents.push(stdout.subarray(start, start + Number(length)));
    at = start + Number(length) + 1;
  }
  return contents;
}

function cut(): GitFailure {
  const what = 'git: cat-file answered less than it was asked';
  return new GitFailure({ code: 'source-unreachable', what }, false);
}
