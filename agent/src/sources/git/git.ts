import { digestOfJson, FleetError } from '@metrica-fleet/protocol';
import type { Config, GitConfig } from '../../config.ts';
import type { Asking, SteadySource, Desired, Fetched } from '../source.ts';
import type { SourceContext } from '../sources.ts';
import { cacheAt, HEAD_REF, type Cache } from './cache.ts';
import { checkOut } from './checkout.ts';
import { gitFor, type Git } from './command.ts';
import { readAssignment, sameLayers } from './fleet-files.ts';
import { readStatement } from './statements.ts';
import { refusedBefore, rememberRefusal } from './refusal.ts';
import { hasNewStatements, withCounter } from './vouching.ts';

/** What the steps of the Git source work with. */
export interface GitContext extends SourceContext {
  readonly git: Git;
  readonly cache: Cache;
  readonly remote: GitConfig;
  readonly config: Config;
  readonly name: string;
}

/**
 * Follows a branch or a tag of a fleet repo (`roles/`, `sites/`, `devices/`). When nothing is new, one `git ls-remote`
 * and no write. `Desired.position` is `<head>+<digest of the configuration>`: an edit of config.yaml counts as news.
 */
export function gitSource(remote: GitConfig, config: Config, context: SourceContext): SteadySource {
  const { exec, disk } = context.ports;
  const git = gitFor({ exec, remote, cache: context.paths.git });
  const cache = cacheAt({ disk, git, remote, folder: context.paths.git });
  const name = `git ${remote.url}#${remote.ref.replace(/^refs\/(heads|tags)\//, '')}`;
  const all: GitContext = { ...context, git, cache, remote, config, name };
  return {
    name,
    needsStatement: false,
    carrier: false,
    desired: (last, asking) => desired(all, last, asking),
    fetch: (wanted, folder) => fetch(all, wanted, folder),
  };
}

async function desired(
  context: GitContext,
  last: Desired | null,
  { standing }: Pick<Asking, 'standing'> = {},
): Promise<Desired> {
  const { name, config, cache } = context;
  const head = await headOf(context);
  const position = positionOf(head, config);
  const takesOver = standing !== undefined && standing.source !== name && config.allowedSigners !== null;
  if (last !== null && last.source === name && last.position === position) {
    if (!takesOver || (last.counter !== undefined && !(await hasNewStatements(context)))) return last;
    return await cache.healing(() => withCounter(context, last));
  }
  await refusedBefore(context, position);
  const said = await wishAt(context, { head, position, last });
  return takesOver ? await cache.healing(() => withCounter(context, said)) : said;
}

interface Place {
  readonly head: string;
  readonly position: string;
  readonly last: Desired | null;
}

/** What the repo wants of this device at a head. */
async function wishAt(context: GitContext, { head, position, last }: Place): Promise<Desired> {
  const { name, config, git, cache } = context;
  return await cache.healing(async () => {
    const commit = await fetchHead(context, head, position);
    const { role, tree, layers } = await readAssignment(git, commit, config);
    const same = last?.role === role && last.tree === tree && sameLayers(last.layers, layers);
    return {
      schemaVersion: 1,
      role,
      // A commit that does not touch what this device runs is no new release for it.
      commit: same ? last.commit : commit,
      digest: same ? last.digest : null,
      source: name,
      position,
      tree,
      layers,
      time: await timeOf(git, commit),
    };
  });
}

/** When a commit was made, by whoever made it. */
async function timeOf(git: Git, commit: string): Promise<string> {
  const { stdout } = await git.run({ label: 'git.time', args: ['show', '-s', '--format=%ct', commit] });
  return `${new Date(Number(stdout.toString('utf8')) * 1000).toISOString().slice(0, 19)}Z`;
}

/** The id that the followed ref has on the server (of the tag itself, where it is an annotated one). */
async function headOf({ git, remote }: GitContext): Promise<string> {
  const { stdout, code } = await git.run({
    label: 'git.ls-remote',
    online: 'without-cache',
    args: ['ls-remote', '--exit-code', remote.url, remote.ref],
    accept: [2],
  });
  const line = stdout
    .toString('utf8')
    .split('\n')
    .find((one) => one.endsWith(`\t${remote.ref}`));
  const head = line?.split('\t')[0];
  if (code === 0 && head !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(head)) return head;
  throw new FleetError({
    code: 'branch-not-found',
    what: `The repo has no ${remote.ref}`,
    where: remote.url,
    remedy: 'Correct `branch:` or `tag:` in config.yaml, or push it.',
  });
}

/** Has the head in the cache, and gives its commit. Skips the network when an earlier run has fetched it already. */
async function fetchHead(context: GitContext, head: string, position: string): Promise<string> {
  const { git, cache } = context;
  const known = await git.run({
    label: 'git.known',
    args: ['rev-parse', '--verify', '--quiet', HEAD_REF],
    accept: [1, 128],
  });
  if (known.code !== 0 || known.stdout.toString('utf8').trim() !== head) {
    try {
      await cache.fetchCommit(head, HEAD_REF);
    } catch (thrown) {
      await rememberRefusal(context, position, thrown);
      throw thrown;
    }
  }
  const { stdout } = await git.run({
    label: 'git.commit',
    args: ['rev-parse', '--verify', `${HEAD_REF}^{commit}`],
  });
  return stdout.toString('utf8').trim();
}

async function fetch(context: GitContext, wanted: Desired, folder: string): Promise<Fetched> {
  return await context.cache.healing(async () => {
    await haveTree(context, wanted);
    await checkOut(context, wanted, folder);
    return { statement: await readStatement(context, wanted, folder) };
  });
}

/** The tree decides, not the commit: after a forced push the same content may still be there under another commit. */
async function haveTree({ git, cache }: GitContext, { tree, commit, position }: Desired): Promise<void> {
  if (await isHere(git, tree)) return;
  const [head] = position.split('+');
  for (const id of new Set([head ?? commit, commit])) {
    try {
      await cache.fetchCommit(id, HEAD_REF);
    } catch (thrown) {
      if (id !== commit && thrown instanceof FleetError && thrown.problem.code === 'source-unreachable')
        continue;
      throw thrown;
    }
    if (await isHere(git, tree)) return;
  }
  throw new FleetError({
    code: 'source-unreachable',
    what: `The content of commit ${commit.slice(0, 12)} is no longer on the server`,
    where: commit,
    remedy: 'The branch was probably rewritten; the next run asks for its new head.',
  });
}

/** `rev-list --missing=print` does not go to the network for what a partial clone lacks, unlike most of git. */
async function isHere(git: Git, tree: string): Promise<boolean> {
  const { code, stdout } = await git.run({
    label: 'git.has-tree',
    args: ['rev-list', '--objects', '--no-object-names', '--missing=print', tree],
    accept: [128],
  });
  return code === 0 && stdout.toString('latin1').split('\n').includes(tree);
}

/** What «nothing is new» depends on: the head, and what config.yaml adds to it. */
function positionOf(head: string, { device, role, site, vars }: Config): string {
  return `${head}+${digestOfJson({ device, role, site, vars }).slice(0, 12)}`;
}
