import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import { gitSource } from '../../src/sources/git/git.ts';
import type { SteadySource } from '../../src/sources/source.ts';
import { bench, gitRemote, type Bench } from './bench.ts';
import { FleetRepo, writeRole } from './fleet-repo.ts';
import { serveGit, type GitServer } from './git-server.ts';

let on: Bench;
let repo: FleetRepo;
let server: GitServer;
const url = (): string => `${server.url}/fleet/.git`;
const sourceWith = (config: Partial<Config> = {}): SteadySource =>
  gitSource(gitRemote(url()), on.config(config), on.context);
const code = (expected: string): object => ({
  problem: expect.objectContaining({ code: expected }) as object,
});

beforeEach(async () => {
  on = bench();
  repo = writeRole(new FleetRepo(join(on.root, 'fleet')), 'web');
  server = await serveGit(on.root);
});
afterEach(async () => {
  await server.close();
  on.clear();
});

describe('what a Git source wants', () => {
  it('is the head, the role and the values of config, site and device, weakest first', async () => {
    const commit = repo
      .write('devices/kiosk-1.yaml', 'site: shop\nvars: {NAME: device}\n')
      .write('sites/shop.yaml', 'vars: {NAME: site, PLACE: here}\n')
      .commit();
    const wanted = await sourceWith({ vars: { NAME: 'config' } }).desired(null);
    expect(wanted).toMatchObject({ role: 'web', commit, digest: null, source: `git ${url()}#main` });
    expect(wanted.layers).toEqual([
      { from: 'config.yaml', values: { NAME: 'config' } },
      { from: 'sites/shop.yaml', values: { NAME: 'site', PLACE: 'here' } },
      { from: 'devices/kiosk-1.yaml', values: { NAME: 'device' } },
    ]);
  });

  it('lets the device file choose another role than config.yaml', async () => {
    writeRole(repo, 'camera').write('devices/kiosk-1.yaml', 'role: camera\n').commit();
    expect((await sourceWith().desired(null)).role).toBe('camera');
  });

  it('is the very same answer, after one request, when the head has not moved', async () => {
    repo.commit();
    const source = sourceWith();
    const first = await source.desired(null);
    server.requests.length = 0;
    expect(await source.desired(first)).toBe(first);
    expect(server.requests).toEqual([
      '/fleet/.git/info/refs?service=git-upload-pack',
      '/fleet/.git/git-upload-pack',
    ]);
  });

  it('moves only its position for a commit that does not touch this device', async () => {
    repo.commit();
    const first = await sourceWith().desired(null);
    repo.write('README.md', 'hello').write('devices/other.yaml', 'role: web\n').commit();
    const second = await sourceWith().desired(first);
    expect(second).toEqual({ ...first, position: second.position });
    expect(second.position).not.toBe(first.position);
  });

  it('is a new release when a former content comes back in a new commit', async () => {
    repo.commit();
    const first = await sourceWith().desired(null);
    repo.write('roles/web/page/index.html', 'other').commit();
    const second = await sourceWith().desired(first);
    const commit = repo.write('roles/web/page/index.html', '<h1>hello</h1>\n').commit();
    const third = await sourceWith().desired(second);
    expect(third).toMatchObject({ commit, tree: first.tree });
    expect(third.commit).not.toBe(first.commit);
  });

  it('is news when config.yaml changed though the head did not', async () => {
    repo.commit();
    const first = await sourceWith().desired(null);
    const second = await sourceWith({ vars: { NAME: 'x' } }).desired(first);
    expect(second.layers).toEqual([{ from: 'config.yaml', values: { NAME: 'x' } }]);
    expect(second.commit).toBe(first.commit);
  });

  it('follows a tag, annotated or not', async () => {
    const commit = repo.commit();
    repo.git('tag', '--annotate', '--message=one', 'v1');
    repo.write('roles/web/new', 'later').commit();
    const source = gitSource(gitRemote(url(), { ref: 'refs/tags/v1' }), on.config(), on.context);
    const wanted = await source.desired(null);
    expect(wanted.commit).toBe(commit);
    await source.fetch(wanted, on.folder());
  });
});

describe('a Git source that cannot answer', () => {
  it('says that the server is not there', async () => {
    repo.commit();
    const source = sourceWith();
    await server.close();
    await expect(source.desired(null)).rejects.toMatchObject(code('source-unreachable'));
  });

  it('says that the repo is not there', async () => {
    const source = gitSource(gitRemote(`${server.url}/none/.git`), on.config(), on.context);
    await expect(source.desired(null)).rejects.toMatchObject(code('source-unreachable'));
  });

  it('says that it is not let in, and is let in with credentials from a file', async () => {
    repo.commit();
    server.credentials = 'fleet:secret';
    await expect(sourceWith().desired(null)).rejects.toMatchObject(code('source-denied'));
    const credentials = join(on.root, 'credentials');
    writeFileSync(credentials, `${server.url.replace('http://', 'http://fleet:secret@')}\n`);
    const source = gitSource(gitRemote(url(), { credentials }), on.config(), on.context);
    const wanted = await source.desired(null);
    await source.fetch(wanted, on.folder());
    expect(wanted.source).not.toContain('secret');
  });

  it('says that the branch does not exist', async () => {
    repo.commit();
    const source = gitSource(gitRemote(url(), { ref: 'refs/heads/gone' }), on.config(), on.context);
    await expect(source.desired(null)).rejects.toMatchObject(code('branch-not-found'));
  });

  it('names the roles that exist when the wanted one does not', async () => {
    writeRole(repo, 'camera').commit();
    await expect(sourceWith({ role: 'kiosk' }).desired(null)).rejects.toThrow(
      /no role kiosk .* The roles there: camera, web/,
    );
  });

  it('says that nobody has chosen a role', async () => {
    repo.commit();
    await expect(sourceWith({ role: null }).desired(null)).rejects.toMatchObject(code('role-not-found'));
  });

  it('names file and line of a mistake in the device file', async () => {
    repo.write('devices/kiosk-1.yaml', 'site: shop\nvras: {A: b}\n').write('sites/shop.yaml', '').commit();
    await expect(sourceWith().desired(null)).rejects.toThrow(/vras.*devices\/kiosk-1\.yaml:2/);
  });

  it('says that a site has no file', async () => {
    repo.write('devices/kiosk-1.yaml', 'site: shpo\n').commit();
    await expect(sourceWith().desired(null)).rejects.toMatchObject(code('variables-invalid'));
  });
});

describe('what a Git source fetches', () => {
  it.each([true, false])(
    'is the role with its modes and links (server with partial clone: %s)',
    async (filter) => {
      repo.git('config', 'uploadpack.allowFilter', String(filter));
      repo.write('roles/web/empty', '').write('roles/web/with space/ü', 'x').commit();
      const folder = on.folder();
      const source = sourceWith();
      expect(await source.fetch(await source.desired(null), folder)).toEqual({ statement: null });
      const want = execFileSync('git', ['-C', repo.path, 'archive', 'HEAD:roles/web']);
      execFileSync('tar', ['-x', '-C', on.folder()], { input: want });
      expect(() =>
        execFileSync('diff', ['-r', '--no-dereference', join(on.root, 'incoming-2'), folder]),
      ).not.toThrow();
      expect(lstatSync(join(folder, 'run.sh')).mode & 0o777).toBe(0o755);
      expect(lstatSync(join(folder, 'role.yaml')).mode & 0o777).toBe(0o644);
    },
  );

  it('leaves the contents of other roles on the server', async () => {
    writeRole(repo, 'camera')
      .write(
        'roles/camera/film',
        Buffer.alloc(300_000, 'x y').map((byte, i) => byte ^ (i * 7919)),
      )
      .commit();
    const source = sourceWith();
    await source.fetch(await source.desired(null), on.folder());
    const packs = join(on.context.paths.git, 'objects/pack');
    const bytes = readdirSync(packs).reduce((sum, name) => sum + lstatSync(join(packs, name)).size, 0);
    expect(bytes).toBeLessThan(40_000);
  });

  it('is still there after a forced push that kept the content', async () => {
    repo.commit();
    const source = sourceWith();
    const wanted = await source.desired(null);
    rmSync(on.context.paths.git, { recursive: true });
    repo.git('commit', '--quiet', '--amend', '--message=Rewritten');
    repo.git('reflog', 'expire', '--expire=now', '--all');
    repo.git('gc', '--quiet', '--prune=now');
    const moved = await source.desired(wanted);
    expect(moved.commit).toBe(wanted.commit);
    await source.fetch(moved, on.folder());
  });

  it('is nobody’s fault and asked again when a forced push removed it', async () => {
    repo.commit();
    const wanted = await sourceWith().desired(null);
    rmSync(on.context.paths.git, { recursive: true });
    repo.write('roles/web/page/index.html', 'rewritten');
    repo.git('add', '--all');
    repo.git('commit', '--quiet', '--amend', '--message=Rewritten');
    repo.git('reflog', 'expire', '--expire=now', '--all');
    repo.git('gc', '--quiet', '--prune=now');
    await expect(sourceWith().fetch(wanted, on.folder())).rejects.toMatchObject(code('source-unreachable'));
    const next = await sourceWith().desired(wanted);
    await sourceWith().fetch(next, on.folder());
  });
});

describe('a role that may not come in', () => {
  it('has a symlink that leaves it', async () => {
    repo.link('roles/web/out', '../../devices').commit();
    const source = sourceWith();
    await expect(source.fetch(await source.desired(null), on.folder())).rejects.toMatchObject(
      code('path-escapes'),
    );
  });

  it('has a submodule', async () => {
    const commit = repo.commit();
    repo.git('update-index', '--add', '--cacheinfo', `160000,${commit},roles/web/sub`);
    repo.git('commit', '--quiet', '--message=sub');
    const source = sourceWith();
    await expect(source.fetch(await source.desired(null), on.folder())).rejects.toMatchObject(
      code('role-invalid'),
    );
  });

  it.each([true, false])(
    'has a file of 300 MB (server with partial clone: %s)',
    async (filter) => {
      repo.git('config', 'uploadpack.allowFilter', String(filter));
      execFileSync('truncate', [
        '--size=300M',
        join(repo.write('roles/web/large', '').path, 'roles/web/large'),
      ]);
      repo.commit();
      const source = sourceWith();
      const folder = on.folder();
      await expect(source.fetch(await source.desired(null), folder)).rejects.toThrow(/roles\/web\/large/);
      expect(readdirSync(folder)).toEqual([]);
    },
    60_000,
  );

  it('has too many files', async () => {
    for (let index = 0; index < 5_001; index += 1) repo.write(`roles/web/many/${index}`, '');
    repo.commit();
    const source = sourceWith();
    await expect(source.fetch(await source.desired(null), on.folder())).rejects.toMatchObject(
      code('bundle-too-large'),
    );
  }, 30_000);
});

describe('a Git source on a bad day', () => {
  it('goes on where a killed git has left locks and half a pack', async () => {
    repo.commit();
    const source = sourceWith();
    const first = await source.desired(null);
    const cache = on.context.paths.git;
    for (const leftover of ['shallow.lock', 'HEAD.lock', 'refs/fleet/head.lock', 'objects/pack/tmp_pack_x'])
      writeFileSync(join(cache, leftover), 'x');
    repo.write('roles/web/new', 'x').commit();
    await source.fetch(await source.desired(first), on.folder());
    expect(existsSync(join(cache, 'objects/pack/tmp_pack_x'))).toBe(false);
  });

  it('comes back after a connection that broke in the middle', async () => {
    repo
      .write('roles/web/noise', Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i * 31) % 251)))
      .commit();
    const source = sourceWith();
    const wanted = await source.desired(null);
    server.breakAfter = 1_000;
    await expect(source.fetch(wanted, on.folder())).rejects.toMatchObject(code('source-unreachable'));
    server.breakAfter = null;
    const folder = on.folder();
    await source.fetch(wanted, folder);
    expect(readFileSync(join(folder, 'noise'))).toHaveLength(200_000);
  });

  it.each([
    ['an empty pack', 'pack', ''],
    ['a torn pack', 'pack', 'PACK0000'],
    ['a torn index', 'idx', 'garbage'],
  ])('makes a cache with %s anew', async (_, extension, content) => {
    repo.commit();
    const source = sourceWith();
    const first = await source.desired(null);
    const packs = join(on.context.paths.git, 'objects/pack');
    for (const name of readdirSync(packs)) {
      if (!name.endsWith(`.${extension}`)) continue;
      rmSync(join(packs, name));
      writeFileSync(join(packs, name), content);
    }
    expect(await source.fetch(first, on.folder())).toEqual({ statement: null });
    repo.write('roles/web/new', 'x').commit();
    await source.fetch(await source.desired(first), on.folder());
  });

  it('makes a cache with a destroyed config, or of another remote, anew', async () => {
    repo.commit();
    const source = sourceWith();
    const first = await source.desired(null);
    writeFileSync(join(on.context.paths.git, 'config'), '[core\nrubbish');
    expect(await source.desired(first)).toBe(first);
    repo.write('roles/web/new', 'x').commit();
    await source.fetch(await source.desired(first), on.folder());
  });
});
