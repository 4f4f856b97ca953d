import { realDisk, type Disk } from '@metrica-fleet/agent';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { MemoryDisk } from '../src/host/memory-disk.ts';

const root = mkdtempSync(join(tmpdir(), 'simulated-disk-'));
afterAll(() => rmSync(root, { recursive: true }));

/** `sync` is not asked here; it is all that a real disk needs processes for. */
const real = realDisk({ run: () => Promise.reject(new Error('no process')) });

type Step = (disk: Disk, at: (path: string) => string) => Promise<unknown>;

/** What a device does to its card, and what it looks at: each on a fresh folder. */
const STORIES: Readonly<Record<string, readonly Step[]>> = {
  'what is absent': [
    (disk, at) => disk.read(at('none')),
    (disk, at) => disk.readText(at('none/deeper')),
    (disk, at) => disk.list(at('none')),
    (disk, at) => disk.stat(at('none')),
    (disk, at) => disk.readLink(at('none')),
    (disk, at) => disk.remove('a.b', at('none/deeper')),
    (disk, at) => disk.rename('a.b', at('none'), at('other')),
    (disk, at) => disk.chmod('a.b', at('none'), 0o600),
  ],
  'files that are written, replaced and appended to': [
    (disk, at) => disk.write('a.b', at('deep/file'), { content: 'one', mode: 0o600 }),
    (disk, at) => disk.write('a.b', at('deep/file'), { content: 'two', append: true }),
    (disk, at) => disk.readText(at('deep/file')),
    (disk, at) => disk.stat(at('deep/file')),
    (disk, at) => disk.replace('a.b', at('deep/file'), 'three'),
    (disk, at) => disk.append('a.b', at('deep/file'), 'four'),
    (disk, at) => disk.readText(at('deep/file')),
    (disk, at) => disk.list(at('deep')),
    (disk, at) => disk.list(at('deep/file')),
    (disk, at) => disk.write('a.b', at('deep/file/below'), { content: 'x' }),
    (disk, at) => disk.read(at('deep')),
  ],
  'links that lead into releases': [
    (disk, at) => disk.write('a.b', at('releases/1/page'), { content: 'first' }),
    (disk, at) => disk.write('a.b', at('releases/2/page'), { content: 'second' }),
    (disk, at) => disk.replaceLink('a.b', at('current'), at('releases/1')),
    (disk, at) => disk.readText(at('current/page')),
    (disk, at) => disk.replaceLink('a.b', at('current'), at('releases/2')),
    (disk, at) => disk.readText(at('current/page')),
    (disk, at) => disk.list(at('current')),
    async (disk, at) => (await disk.stat(at('current')))?.kind,
    (disk, at) => disk.link('a.b', at('current'), 'elsewhere'),
    (disk, at) => disk.link('a.b', at('releases/2/up'), '../1/page'),
    (disk, at) => disk.readText(at('current/up')),
    (disk, at) => disk.link('a.b', at('round'), 'round'),
    (disk, at) => disk.readText(at('round')),
    (disk, at) => disk.remove('a.b', at('current')),
    (disk, at) => disk.list(at('releases')),
  ],
  'folders that are in the way': [
    (disk, at) => disk.makeFolder('a.b', at('current/page'), 0o700),
    async (disk, at) => (await disk.stat(at('current/page')))?.mode,
    (disk, at) => disk.replaceLink('a.b', at('current'), 'releases/1'),
    (disk, at) => disk.readLink(at('current')),
    (disk, at) => disk.list(at('current.in-the-way')),
    (disk, at) => disk.makeFolder('a.b', at('full/inner')),
    (disk, at) => disk.makeFolder('a.b', at('new')),
    (disk, at) => disk.rename('a.b', at('new'), at('full')),
    (disk, at) => disk.remove('a.b', at('full')),
    (disk, at) => disk.rename('a.b', at('new'), at('full')),
    (disk, at) => disk.list(at('full')),
  ],
};

/** What each step gives; of a refusal its code, since the words are those of the kernel. */
async function told(disk: Disk, folder: string, steps: readonly Step[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const step of steps) {
    const result = step(disk, (path) => join(folder, path)).then(
      (value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value),
      (thrown: { readonly problem?: { readonly code: string } }) => thrown.problem?.code ?? 'no FleetError',
    );
    results.push(await result);
  }
  return results;
}

it.each(Object.entries(STORIES))('is as a real disk for %s', async (name, steps) => {
  const folder = join(root, name.replaceAll(' ', '-'));
  const memory = await told(new MemoryDisk(), folder, steps);
  expect(memory).toEqual(await told(real, folder, steps));
});
