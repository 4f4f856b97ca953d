import { contentDigest, type Manifest } from '@metrica-fleet/protocol';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { incomingFolder, keepRelease, refuseOwnName, type Store } from '../../src/act/release-store.ts';
import { readRelease } from '../../src/observe/release.ts';
import { manifestOfFolder } from '../../src/sources/folder-manifest.ts';
import { bench, type Bench } from '../sources/bench.ts';

let on: Bench;
let store: Store;
const KEY = 'f'.repeat(64);
const commitNumber = (number: number): string => String(number).repeat(40);

beforeEach(() => {
  on = bench();
  store = { disk: on.context.ports.disk, paths: on.context.paths };
});
afterEach(() => on.clear());

/** Brings the same small role in, as the fetch of a commit does. */
async function bring(commit: string): Promise<{ folder: string; manifest: Manifest }> {
  const incoming = await incomingFolder(store, KEY);
  const { disk } = store;
  await disk.write('test.file', join(incoming, 'page/index.html'), { content: 'hello' });
  await disk.write('test.file', join(incoming, 'run.sh'), { content: '#!/bin/sh\n', mode: 0o755 });
  await disk.link('test.link', join(incoming, 'start'), 'run.sh');
  const manifest = await manifestOfFolder(disk, incoming, 'web');
  const release = { role: 'web', commit, digest: contentDigest(manifest) };
  return { folder: await keepRelease(store, { incoming, manifest, release }), manifest };
}

describe('the release store', () => {
  it('keeps a release under its digest, named and read-only', async () => {
    const { folder, manifest } = await bring(commitNumber(1));
    const digest = contentDigest(manifest);
    expect(readdirSync(store.paths.releases)).toEqual([digest]);
    expect(await readRelease(store.disk, folder)).toEqual({ role: 'web', commit: commitNumber(1), digest });
    const modes = ['.', 'page', 'page/index.html', 'run.sh'].map(
      (path) => lstatSync(join(folder, path)).mode & 0o777,
    );
    expect(modes).toEqual([0o555, 0o555, 0o444, 0o555]);
    expect(await manifestOfFolder(store.disk, folder, 'web')).toEqual(manifest);
  });

  it('gives content that comes back its newest name, and leaves its files where they are', async () => {
    const first = await bring(commitNumber(1));
    const inode = lstatSync(join(first.folder, 'page/index.html')).ino;
    const second = await bring(commitNumber(2));
    expect(second.folder).toBe(first.folder);
    expect(lstatSync(join(first.folder, 'page/index.html')).ino).toBe(inode);
    expect(await readRelease(store.disk, first.folder)).toMatchObject({ commit: commitNumber(2) });
    expect(readdirSync(store.paths.releases)).toHaveLength(1);
  });

  it.each<[string, (folder: string) => void]>([
    ['is missing', (folder) => rmSync(join(folder, 'page/index.html'))],
    ['is empty after a power cut', (folder) => writeFileSync(join(folder, 'page/index.html'), '')],
    ['has another byte', (folder) => writeFileSync(join(folder, 'page/index.html'), 'hellO')],
    ['lost its mode', (folder) => chmodSync(join(folder, 'run.sh'), 0o444)],
    [
      'became a link',
      (folder) => {
        rmSync(join(folder, 'run.sh'));
        symlinkSync('/bin/true', join(folder, 'run.sh'));
      },
    ],
    [
      'is a link to elsewhere',
      (folder) => {
        rmSync(join(folder, 'start'));
        symlinkSync('/bin/true', join(folder, 'start'));
      },
    ],
    ['was joined by a stranger', (folder) => writeFileSync(join(folder, 'compose.override.yaml'), 'x')],
    [
      'became a folder',
      (folder) => {
        rmSync(join(folder, 'page'), { recursive: true });
        writeFileSync(join(folder, 'page'), 'x');
      },
    ],
  ])('repairs a kept release of which something %s', async (_, damage) => {
    const { folder, manifest } = await bring(commitNumber(1));
    damage(folder);
    await bring(commitNumber(1));
    expect(await manifestOfFolder(store.disk, folder, 'web')).toEqual(manifest);
    expect(readFileSync(join(folder, 'page/index.html'), 'utf8')).toBe('hello');
  });

  it('makes a kept release anew whose folder became a file', async () => {
    const { folder, manifest } = await bring(commitNumber(1));
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'x');
    await bring(commitNumber(1));
    expect(await manifestOfFolder(store.disk, folder, 'web')).toEqual(manifest);
  });

  it('removes what an interrupted fetch left, of this release and of others', async () => {
    await store.disk.write('test.old', join(store.paths.releases, '.incoming-old/half'), { content: 'x' });
    const incoming = await incomingFolder(store, KEY);
    await store.disk.write('test.half', join(incoming, 'half'), { content: 'x' });
    expect(await incomingFolder(store, KEY)).toBe(incoming);
    expect(readdirSync(store.paths.releases)).toEqual([`.incoming-${'f'.repeat(16)}`]);
    expect(readdirSync(incoming)).toEqual([]);
  });

  it('refuses a role that brings a folder of the name of its own notes', async () => {
    const incoming = await incomingFolder(store, KEY);
    await refuseOwnName(store.disk, incoming, 'web');
    await store.disk.write('test.own', join(incoming, '.fleet/release.json'), { content: '{}' });
    await expect(refuseOwnName(store.disk, incoming, 'web')).rejects.toMatchObject({
      problem: { code: 'role-invalid' },
    });
    expect(existsSync(join(incoming, '.fleet'))).toBe(true);
  });
});
