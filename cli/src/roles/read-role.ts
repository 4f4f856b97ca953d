import { FleetError, RELEASE_LIMITS } from '@metrica-fleet/protocol';
import type { RoleEntry, RoleFiles } from '@metrica-fleet/protocol/lint';
import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';

/** Folders of the roles that are meant: by name in `roles/`, or by path. Without words, every role in `roles/`. */
export async function findRoles(words: readonly string[], cwd: string): Promise<readonly string[]> {
  const known = await rolesIn(join(cwd, 'roles'));
  if (words.length > 0) return await Promise.all(words.map(async (word) => await findRole(word, cwd, known)));
  if (known.length > 0) return known.map((name) => join(cwd, 'roles', name));
  throw new FleetError({
    code: 'role-not-found',
    what: 'There is no role here',
    where: join(cwd, 'roles'),
    remedy: 'Run the command at the root of a fleet repo, or name the folder of a role.',
  });
}

/**
 * Reads a role from its folder as it lies there, committed or not, but nothing that Git would not take: `.git`, sockets.
 * Throws `bundle-too-large` before it fills the memory with what no device would accept.
 */
export async function readRole(folder: string): Promise<RoleFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter(belongs).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const kept = paths.filter((path) => !path.split('/').includes('.git')).sort();
  const sizes = await Promise.all(kept.map(async (path) => (await lstat(join(folder, path))).size));
  checkSize(
    folder,
    kept.length,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const files = new Map<string, RoleEntry>();
  for (const path of kept) files.set(path, await readEntry(join(folder, path)));
  return { role: basename(folder), files };
}

async function findRole(word: string, cwd: string, known: readonly string[]): Promise<string> {
  if (known.includes(word)) return join(cwd, 'roles', word);
  if (await isFolder(resolve(cwd, word))) return resolve(cwd, word);
  throw new FleetError({
    code: 'role-not-found',
    what: `There is no role «${word}»`,
    where: join(cwd, 'roles'),
    remedy: known.length === 0 ? 'There is no folder roles/ here.' : `There are: ${known.join(', ')}.`,
  });
}

async function rolesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function belongs(entry: Dirent): boolean {
  return entry.isFile() || entry.isSymbolicLink();
}

async function readEntry(path: string): Promise<RoleEntry> {
  const found = await lstat(path);
  return found.isSymbolicLink() ? { link: await readlink(path) } : await readFile(path);
}

function checkSize(folder: string, files: number, bytes: number): void {
  if (files <= RELEASE_LIMITS.files && bytes <= RELEASE_LIMITS.bytes) return;
  throw new FleetError({
    code: 'bundle-too-large',
    what: `The role holds ${bytes} bytes in ${files} files; the limits are ${RELEASE_LIMITS.bytes} and ${RELEASE_LIMITS.files}`,
    where: folder,
    remedy: 'Put large data into an image or fetch it at run time; a role is configuration.',
  });
}
