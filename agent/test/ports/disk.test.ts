import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { realDisk } from '../../src/ports/real/disk.ts';
import { realExec } from '../../src/ports/real/exec.ts';

const root = mkdtempSync(join(tmpdir(), 'metrica-disk-'));
const disk = realDisk(realExec());
const at = (path: string): string => join(root, path);
afterAll(() => rmSync(root, { recursive: true }));

describe('the real disk', () => {
  it('answers null for what is absent, whatever is asked', async () => {
    expect([
      await disk.read(at('none')),
      await disk.readText(at('none/deeper')),
      await disk.list(at('none')),
      await disk.stat(at('none')),
      await disk.readLink(at('none')),
    ]).toEqual([null, null, null, null, null]);
  });

  it('replaces a file and leaves no temporary behind', async () => {
    await disk.replace('test.replace', at('a/journal.json'), 'one');
    await disk.replace('test.replace', at('a/journal.json'), 'two');
    expect(await disk.readText(at('a/journal.json'))).toBe('two');
    expect(await disk.list(at('a'))).toEqual(['journal.json']);
  });

  it('swaps a symlink over an existing one, and over the leftover of a crashed swap', async () => {
    await disk.link('test.leftover', at('.app_current.tmp'), 'rubbish');
    await disk.replaceLink('test.swap', at('app_current'), '/one');
    await disk.replaceLink('test.swap', at('app_current'), '/two');
    expect(await disk.readLink(at('app_current'))).toBe('/two');
  });

  it('puts a folder aside that lies where a file or a link belongs', async () => {
    await disk.write('test.write', at('app_next/page/index.html'), { content: 'x' });
    await disk.replaceLink('test.swap', at('app_next'), '/one');
    expect(await disk.readLink(at('app_next'))).toBe('/one');
    expect(await disk.list(at('app_next.in-the-way/page'))).toEqual(['index.html']);
    await disk.makeFolder('test.folder', at('desired.json'));
    await disk.replace('test.replace', at('desired.json'), 'text');
    expect(await disk.readText(at('desired.json'))).toBe('text');
  });

  it('does not follow a link when it looks, and reads null for a link that is a file', async () => {
    await disk.write('test.write', at('file'), { content: 'x', mode: 0o755 });
    expect(await disk.stat(at('file'))).toEqual({ kind: 'file', size: 1, mode: 0o755 });
    expect((await disk.stat(at('app_current')))?.kind).toBe('link');
    expect(await disk.readLink(at('file'))).toBeNull();
  });

  it('syncs, measures space, and removes folders that are read-only', async () => {
    await disk.makeFolder('test.folder', at('release/deep'));
    await disk.write('test.write', at('release/deep/file'), { content: 'x', mode: 0o444 });
    await disk.chmod('test.chmod', at('release/deep'), 0o555);
    await disk.sync('test.sync', at('release'));
    expect((await disk.space(root)).bytes).toBeGreaterThan(0);
    await disk.remove('test.remove', at('release'));
    expect(await disk.stat(at('release'))).toBeNull();
  });

  it('says where it failed, as a problem with a code', async () => {
    await disk.write('test.write', at('plain'), { content: 'x' });
    const writing = disk.write('test.write', at('plain/below'), { content: 'x' });
    await expect(writing).rejects.toMatchObject({
      problem: { code: 'disk-failed', where: at('plain/below') },
    });
  });
});
