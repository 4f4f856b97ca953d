import { FleetError } from '@metrica-fleet/protocol';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheAt, HEAD_REF, type Cache } from '../../src/sources/git/cache.ts';
import { gitFor } from '../../src/sources/git/command.ts';
import type { GitContext } from '../../src/sources/git/git.ts';
import { refusedBefore, rememberRefusal } from '../../src/sources/git/refusal.ts';
import { requireSpace } from '../../src/sources/space.ts';
import { bench, gitRemote, type Bench } from './bench.ts';
import { FleetRepo, writeRole } from './fleet-repo.ts';
import { serveGit, type GitServer } from './git-server.ts';

const MEBIBYTE = 1024 * 1024;
const code = (expected: string): object => ({ problem: { code: expected } });

let on: Bench;
let repo: FleetRepo;
let server: GitServer;
beforeEach(async () => {
  on = bench();
  repo = writeRole(new FleetRepo(join(on.root, 'fleet')), 'web');
  server = await serveGit(on.root);
});
afterEach(async () => {
  await server.close();
  on.clear();
});

function cacheWith(limit: number): Cache {
  const { ports, paths } = on.context;
  const remote = gitRemote(`${server.url}/fleet/.git`);
  const git = gitFor({ exec: ports.exec, remote, cache: paths.git });
  return cacheAt({ disk: ports.disk, git, remote, folder: paths.git, limit });
}

describe('a download past its limit', () => {
  it.each([true, false])('is stopped and leaves nothing (server with partial clone: %s)', async (filter) => {
    repo.git('config', 'uploadpack.allowFilter', String(filter));
    const commit = repo.write('roles/web/noise', randomBytes(4 * MEBIBYTE)).commit();
    const noise = repo.git('rev-parse', 'HEAD:roles/web/noise');
    const cache = cacheWith(MEBIBYTE);
    const fetchAll = async (): Promise<void> => {
      await cache.fetchCommit(commit, HEAD_REF);
      await cache.fetchBlobs([noise], MEBIBYTE);
    };
    await expect(fetchAll()).rejects.toMatchObject(code('bundle-too-large'));
    const packs = readdirSync(join(on.context.paths.git, 'objects/pack'));
    expect(packs.filter((name) => name.startsWith('tmp_'))).toEqual([]);
    await cacheWith(9 * MEBIBYTE).fetchCommit(commit, HEAD_REF);
  });
});

describe('a head that was refused for what it holds', () => {
  const tooLarge = new FleetError({ code: 'bundle-too-large', what: 'The download is larger than 320 MiB' });
  const context = (): GitContext => on.context as unknown as GitContext;

  it('is refused again without asking the server, until another head comes', async () => {
    await rememberRefusal(context(), 'head-1', tooLarge);
    await expect(refusedBefore(context(), 'head-1')).rejects.toMatchObject(code('bundle-too-large'));
    await expect(refusedBefore(context(), 'head-2')).resolves.toBeUndefined();
  });

  it('is nothing that a bad network leaves behind', async () => {
    const away = new FleetError({ code: 'source-unreachable', what: 'no route' });
    await rememberRefusal(context(), 'head-1', away);
    await rememberRefusal(context(), 'head-1', new Error('bug'));
    await expect(refusedBefore(context(), 'head-1')).resolves.toBeUndefined();
    expect(existsSync(`${on.context.paths.git}-refused.json`)).toBe(false);
  });
});

describe('space', () => {
  it('is asked for before anything is written: twice the size, and a margin', async () => {
    const { disk } = on.context.ports;
    const { bytes } = await disk.space(on.root);
    await expect(requireSpace(disk, on.root, { bytes: MEBIBYTE, files: 10 })).resolves.toBeUndefined();
    await expect(requireSpace(disk, on.root, { bytes: bytes / 2, files: 1 })).rejects.toMatchObject(
      code('no-space'),
    );
    await expect(requireSpace(disk, on.root, { bytes: 1, files: 1e15 })).rejects.toMatchObject(
      code('no-space'),
    );
  });
});
