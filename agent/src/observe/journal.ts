import { canonicalJson, digestOf } from '@metrica-fleet/protocol';
import { EMPTY_JOURNAL, type Deployment, type Journal } from '../decide/journal.ts';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';
import { readable } from './readable.ts';
import { readRelease } from './release.ts';

/** Where a journal came from: the file, the copy kept before the last write, or the symlinks when both are unreadable. */
export type JournalOrigin = 'file' | 'former' | 'rebuilt' | 'new';

/** The name under which the journal before the last write is kept. */
export function formerJournal(path: string): string {
  return `${path}.former`;
}

/** The text of a journal file: the checksum tells a torn or a rotten file from a good one. */
export function journalText(journal: Journal): string {
  return `${JSON.stringify({ checksum: digestOf(canonicalJson(journal)), journal })}\n`;
}

/** The journal in a text, or null where the text is not whole, not ours, or of a version that we do not know. */
export function parseJournal(text: string): Journal | null {
  try {
    const { checksum, journal } = JSON.parse(text) as { checksum: unknown; journal: Journal };
    return checksum === digestOf(canonicalJson(journal)) && journal.schemaVersion === 1 ? journal : null;
  } catch {
    return null;
  }
}

/**
 * What the agent remembers. A journal that cannot be read is no reason to stop (balena-supervisor #2196): the former
 * one is one step behind, and every step can be repeated; without it the symlinks say what runs.
 */
export async function observeJournal(
  disk: Disk,
  paths: Paths,
): Promise<{ journal: Journal; origin: JournalOrigin }> {
  const text = await readable(disk, paths.journal);
  const journal = text === null ? null : parseJournal(text);
  if (journal !== null) return { journal, origin: 'file' };
  const formerText = await readable(disk, formerJournal(paths.journal));
  const former = formerText === null ? null : parseJournal(formerText);
  if (former !== null) return { journal: former, origin: 'former' };
  const rebuilt = await rebuild(disk, paths);
  const anything = text !== null || formerText !== null || rebuilt.current !== null;
  return { journal: rebuilt, origin: anything ? 'rebuilt' : 'new' };
}

/**
 * Rebuilds the journal from the symlinks. Variables and services are not known then; the wanted deployment differs
 * from `rebuilt`, so that the next run goes through the whole update, finds everything in place and restarts nothing.
 */
async function rebuild(disk: Disk, paths: Paths): Promise<Journal> {
  const current = await deploymentBehind(disk, paths.current);
  const previous = await deploymentBehind(disk, paths.previous);
  const distinct = previous?.release.digest === current?.release.digest ? null : previous;
  return { ...EMPTY_JOURNAL, current, previous: distinct };
}

async function deploymentBehind(disk: Disk, link: string): Promise<Deployment | null> {
  const folder = await disk.readLink(link);
  const release = folder === null ? null : await readRelease(disk, folder);
  return release === null
    ? null
    : { key: 'rebuilt', release, variables: {}, services: {}, images: [], interval: 300 };
}
