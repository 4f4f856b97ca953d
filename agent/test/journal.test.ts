import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_JOURNAL } from '../src/decide/journal.ts';
import { formerJournal, journalText, observeJournal, parseJournal } from '../src/observe/journal.ts';
import { releaseFile } from '../src/observe/release.ts';
import { pathsUnder, type Paths } from '../src/paths.ts';
import { realDisk } from '../src/ports/real/disk.ts';
import { realExec } from '../src/ports/real/exec.ts';
import { deployment, RUNNING_A } from './decide/story.ts';

const disk = realDisk(realExec());
let root: string;
let paths: Paths;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'metrica-journal-'));
  paths = pathsUnder(root);
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the journal', () => {
  it('is read back as it was written', async () => {
    await disk.replace('test.journal', paths.journal, journalText(RUNNING_A));
    expect(await observeJournal(disk, paths)).toEqual({ journal: RUNNING_A, origin: 'file' });
  });

  it('of a new device is empty', async () => {
    expect(await observeJournal(disk, paths)).toEqual({ journal: EMPTY_JOURNAL, origin: 'new' });
  });

  it('that is torn gives way to the former one', async () => {
    await disk.replace('test.journal', formerJournal(paths.journal), journalText(RUNNING_A));
    await disk.replace('test.journal', paths.journal, journalText(EMPTY_JOURNAL).slice(0, 40));
    expect(await observeJournal(disk, paths)).toEqual({ journal: RUNNING_A, origin: 'former' });
  });

  it('that is lost with its copy is rebuilt from the symlinks', async () => {
    for (const [link, letter] of [
      [paths.current, 'a'],
      [paths.previous, 'f'],
    ] as const) {
      const { release } = deployment(letter);
      const folder = join(paths.releases, release.digest);
      await disk.write('test.release', releaseFile(folder), { content: JSON.stringify(release) });
      await disk.replaceLink('test.link', link, folder);
    }
    await disk.replace('test.journal', paths.journal, '\0'.repeat(300));
    const { journal, origin } = await observeJournal(disk, paths);
    expect(origin).toBe('rebuilt');
    expect(journal.current?.release).toEqual(deployment('a').release);
    expect(journal.previous?.release).toEqual(deployment('f').release);
    expect(journal.current?.key).not.toBe(deployment('a').key);
  });

  it('that cannot be read at all, with links that lead nowhere, is begun anew', async () => {
    await disk.makeFolder('test.folder', paths.journal);
    await disk.makeFolder('test.folder', formerJournal(paths.journal));
    await disk.replaceLink('test.loop', paths.current, paths.current);
    expect(await observeJournal(disk, paths)).toEqual({ journal: EMPTY_JOURNAL, origin: 'new' });
  });

  it('with a flipped byte anywhere is not believed', () => {
    const text = journalText(RUNNING_A);
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        const journal = parseJournal(changed);
        expect(journal === null || JSON.stringify(journal) === JSON.stringify(RUNNING_A)).toBe(true);
      }),
    );
  });

  it('of any rubbish is null, never an exception', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseJournal(text)).toBeNull();
      }),
    );
  });
});
