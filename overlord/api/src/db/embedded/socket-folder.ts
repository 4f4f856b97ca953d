import { createHash } from 'node:crypto';
import { chown, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseError } from '../database-error.ts';
import { canReach, type Account } from './account.ts';

/** Of `sun_path` in unix(7), without the NUL at its end. Bytes. */
const LONGEST_PATH = 107;
/** What PostgreSQL appends for port 5432. */
const SOCKET = '/.s.PGSQL.5432';

/**
 * The folder of the server's socket, which only `account` (and root) can enter: in the data folder where the path is
 * short enough and can be reached, else below /run, the user's runtime folder or /tmp under a name that follows from
 * the data folder, so that it is the same at every start. Throws `data-folder-unusable` when somebody else has it.
 */
export async function socketFolder(home: string, account: Account | null): Promise<string> {
  const inside = join(home, 'socket');
  if (fits(inside) && (await canReach(account, home))) return privateFolder(inside, account);
  const name = `metrica-fleet-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
  return privateFolder(join(await runtimeFolder(), name), account);
}

/** Where a socket may live until the next boot. Only the last one is open to everybody. */
async function runtimeFolder(): Promise<string> {
  const self = process.getuid?.() ?? 0;
  const candidate = self === 0 ? '/run' : process.env['XDG_RUNTIME_DIR'];
  if (candidate === undefined || !fits(join(candidate, 'metrica-fleet-0123456789ab'))) return tmpdir();
  const found = await lstat(candidate).catch(() => null);
  return found !== null && found.isDirectory() && found.uid === self ? candidate : tmpdir();
}

function fits(folder: string): boolean {
  return Buffer.byteLength(folder + SOCKET) <= LONGEST_PATH;
}

/** Makes it, or checks that what is there is a folder, of this account, closed to others, and no link. */
async function privateFolder(path: string, account: Account | null): Promise<string> {
  const owner = account?.uid ?? process.getuid?.() ?? 0;
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const made = await lstat(path);
  // Root's own, made just now or before a crash.
  if (account !== null && made.isDirectory() && made.uid === 0) await chown(path, account.uid, account.gid);
  const found = await lstat(path);
  if (found.isDirectory() && found.uid === owner && (found.mode & 0o077) === 0) return path;
  throw new DatabaseError({
    code: 'data-folder-unusable',
    what: "The folder for the database's socket is not a private one of the user that it runs as",
    where: path,
    remedy: 'Remove it; if it comes back, find out who makes it.',
  });
}
