import { execFileSync } from 'node:child_process';
import { statementBytes, STATEMENTS_REF, type Release, type Statement } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { vouchedFor } from '../../src/act/verify-release.ts';
import type { Config } from '../../src/config.ts';
import { gitSource } from '../../src/sources/git/git.ts';
import type { SteadySource } from '../../src/sources/source.ts';
import { contentDigest } from '@metrica-fleet/protocol';
import { manifestOfFolder } from '../../src/sources/folder-manifest.ts';
import { bench, gitRemote, type Bench } from '../sources/bench.ts';
import { FleetRepo, writeRole } from '../sources/fleet-repo.ts';
import { makeSigner, sign, type Signer } from '../sources/signed-stick.ts';

let on: Bench;
let repo: FleetRepo;
let signer: Signer;
beforeEach(() => {
  on = bench();
  repo = writeRole(new FleetRepo(join(on.root, 'fleet')), 'web');
  signer = makeSigner(on.root);
});
afterEach(() => on.clear());
const code = (expected: string): object => ({ problem: { code: expected } });

/** Puts a statement into the repo's ref, as `fleet release sign` does. */
function publish(statement: Statement, signature?: string): void {
  const text = statementBytes(statement);
  const git = (args: string[], input = ''): string =>
    execFileSync('git', args, {
      cwd: repo.path,
      input,
      encoding: 'utf8',
      env: { ...process.env, GIT_INDEX_FILE: join(on.root, 'index') },
    }).trim();
  const path = `${statement.role}/${statement.digest}.json`;
  for (const [name, content] of [
    [path, text],
    [`${path}.sig`, signature ?? sign(signer.key, text)],
  ] as const)
    git([
      'update-index',
      '--add',
      '--cacheinfo',
      `100644,${git(['hash-object', '-w', '--stdin'], content)},${name}`,
    ]);
  git(['update-ref', STATEMENTS_REF, git(['commit-tree', git(['write-tree'])], 'sign')]);
}

/** Fetches the head and asks whether somebody vouches for it. */
async function ask(options: { signers?: string | null; floor?: number } = {}): Promise<number | null> {
  const config: Config = on.config({
    allowedSigners: options.signers === undefined ? signer.signers : options.signers,
  });
  const source: SteadySource = gitSource(gitRemote(repo.path), config, on.context);
  const wanted = await source.desired(null);
  const folder = on.folder();
  const { statement } = await source.fetch(wanted, folder);
  const digest = contentDigest(await manifestOfFolder(on.context.ports.disk, folder, 'web'));
  const release: Release = { role: 'web', commit: wanted.commit, digest };
  const context = { ...on.context, config } as unknown as Context;
  return await vouchedFor(context, {
    release,
    promised: false,
    source,
    statement,
    floor: { web: options.floor ?? 0 },
  });
}

/** What a signer would say about the head. */
async function aboutHead(over: Partial<Statement> = {}): Promise<Statement> {
  const commit = repo.commit();
  const folder = on.folder();
  const archive = execFileSync('git', ['archive', 'HEAD:roles/web'], { cwd: repo.path });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  const digest = contentDigest(await manifestOfFolder(on.context.ports.disk, folder, 'web'));
  return { schemaVersion: 1, role: 'web', commit, digest, counter: 5, time: '2026-01-01T00:00:00Z', ...over };
}

describe('a release from Git', () => {
  it('needs nobody’s word where no signers are configured', async () => {
    repo.commit();
    expect(await ask({ signers: null })).toBeNull();
  });

  it('is taken with a statement from the ref beside the branches', async () => {
    publish(await aboutHead());
    expect(await ask({ floor: 5 })).toBe(5);
  });

  it('is taken at a later commit that did not touch the role', async () => {
    publish(await aboutHead());
    repo.write('README.md', 'more').commit();
    expect(await ask()).toBe(5);
  });

  it('waits for its statement, which may come after the push', async () => {
    repo.commit();
    await expect(ask()).rejects.toMatchObject(code('statement-missing'));
    publish(await aboutHead());
    expect(await ask()).toBe(5);
    repo.write('roles/web/page/index.html', 'other').commit();
    await expect(ask()).rejects.toMatchObject(code('statement-missing'));
  });

  it('is refused with the signature of a stranger', async () => {
    const statement = await aboutHead();
    publish(statement, sign(makeSigner(on.root, 'eve').key, statementBytes(statement)));
    await expect(ask()).rejects.toMatchObject(code('statement-invalid'));
  });

  it('is refused with a good signature over another statement', async () => {
    const statement = await aboutHead();
    publish(statement, sign(signer.key, statementBytes({ ...statement, counter: 4 })));
    await expect(ask()).rejects.toMatchObject(code('statement-invalid'));
  });

  it('is refused when the counter has been passed', async () => {
    publish(await aboutHead());
    await expect(ask({ floor: 6 })).rejects.toMatchObject(code('statement-replayed'));
  });
});
