import { FleetError, parseStatement, STATEMENTS_REF, type Statement } from '@metrica-fleet/protocol';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../exec.ts';

/** A statement with the signature over exactly its bytes. */
export interface SignedStatement {
  readonly statement: Statement;
  readonly text: string;
  readonly signature: string;
}

/** The highest counter of a role in the statements of a repo; 0 where there is none. */
export async function lastCounter(repo: string, role: string): Promise<number> {
  const list = ['git', 'ls-tree', '-z', '--name-only', STATEMENTS_REF, `${role}/`] as const;
  const { code, stdout } = await exec({ argv: list, cwd: repo, accept: [128] });
  const names = stdout
    .toString('utf8')
    .split('\0')
    .filter((name) => name.endsWith('.json'));
  if (code !== 0 || names.length === 0) return 0;
  const counters = await Promise.all(
    names.map(async (name) => {
      const blob = await exec({ argv: ['git', 'cat-file', 'blob', `${STATEMENTS_REF}:${name}`], cwd: repo });
      return parseStatement(blob.stdout.toString('utf8'), `${STATEMENTS_REF}:${name}`).counter;
    }),
  );
  return Math.max(...counters);
}

/**
 * Adds a signed statement to the ref, with Git's plumbing: neither the work tree nor the index is touched. A
 * statement about the same content replaces the former one. Fails when somebody else moved the ref meanwhile.
 */
export async function recordStatement(repo: string, signed: SignedStatement): Promise<void> {
  const { statement, text, signature } = signed;
  const folder = await mkdtemp(join(tmpdir(), 'fleet-statements-'));
  const env = { GIT_INDEX_FILE: join(folder, 'index') };
  const git = async (args: readonly string[], input?: string): Promise<string> => {
    const { stdout } = await exec({
      argv: ['git', ...args],
      cwd: repo,
      env,
      ...(input === undefined ? {} : { input }),
    });
    return stdout.toString('utf8').trim();
  };
  try {
    const former = await currentStatements(repo);
    if (former !== null) await git(['read-tree', former]);
    const path = `${statement.role}/${statement.digest}.json`;
    for (const [name, content] of [[path, text] as const, [`${path}.sig`, signature] as const]) {
      const blob = await git(['hash-object', '-w', '--stdin'], content);
      await git(['update-index', '--add', '--cacheinfo', `100644,${blob},${name}`]);
    }
    const tree = await git(['write-tree']);
    const message = `Sign ${statement.role} at ${statement.commit.slice(0, 12)}, counter ${statement.counter}\n`;
    const parents = former === null ? [] : ['-p', former];
    const commit = await git(['commit-tree', tree, ...parents], message);
    // An empty old value means that the ref must not exist yet.
    await git(['update-ref', STATEMENTS_REF, commit, former ?? '']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Brings what others have signed, before the next counter is chosen. Throws where this repo has statements of its own. */
export async function fetchStatements(repo: string, remote: string): Promise<void> {
  const { stdout } = await exec({ argv: ['git', 'ls-remote', remote, STATEMENTS_REF], cwd: repo });
  if (stdout.length === 0) return;
  try {
    await exec({
      argv: ['git', 'fetch', '--quiet', '--no-tags', remote, `${STATEMENTS_REF}:${STATEMENTS_REF}`],
      cwd: repo,
    });
  } catch (error) {
    if (await isAhead(repo, stdout.toString('utf8').split('\t')[0] ?? '')) return;
    throw new FleetError(
      {
        code: 'input-invalid',
        what: `The statements here and at ${remote} have gone different ways`,
        where: STATEMENTS_REF,
        remedy: `Take theirs with \`git update-ref -d ${STATEMENTS_REF}\`, and sign again.`,
      },
      { cause: error },
    );
  }
}

export async function pushStatements(repo: string, remote: string): Promise<void> {
  await exec({ argv: ['git', 'push', '--quiet', remote, `${STATEMENTS_REF}:${STATEMENTS_REF}`], cwd: repo });
}

async function currentStatements(repo: string): Promise<string | null> {
  const argv = ['git', 'rev-parse', '--verify', '--quiet', STATEMENTS_REF] as const;
  const { code, stdout } = await exec({ argv, cwd: repo, accept: [1, 128] });
  return code === 0 ? stdout.toString('utf8').trim() : null;
}

/** Whether everything at the remote is here already. */
async function isAhead(repo: string, theirs: string): Promise<boolean> {
  const argv = ['git', 'merge-base', '--is-ancestor', theirs, STATEMENTS_REF] as const;
  return (await exec({ argv, cwd: repo, accept: [1, 128] })).code === 0;
}
