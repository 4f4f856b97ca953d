import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseError } from '../database-error.ts';

/** An unprivileged user of this machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order; the first is there on every machine that had PostgreSQL from Debian, the second everywhere. */
const PREFERRED = ['postgres', 'nobody'];

/**
 * Who PostgreSQL runs as; null: the user that we run as. PostgreSQL refuses to run as root, so as root it is the owner
 * of the cluster that exists, else `postgres`, else `nobody`. Throws `data-folder-unusable` for a cluster of somebody else.
 */
export async function accountFor(cluster: string): Promise<Account | null> {
  const self = process.getuid?.() ?? 0;
  const owner = await ownerOf(cluster);
  if (self !== 0) {
    if (owner === null || owner.uid === self) return null;
    throw new DatabaseError({
      code: 'data-folder-unusable',
      what: `The database belongs to the user with id ${owner.uid}, and this is user ${self}`,
      where: cluster,
      remedy: 'Start the overlord as that user or as root, or give the folder to this user with `chown -R`.',
    });
  }
  const known = await accounts();
  if (owner === null) return preferred(known);
  if (owner.uid !== 0)
    return known.find(({ uid }) => uid === owner.uid) ?? { ...owner, name: `${owner.uid}` };
  throw new DatabaseError({
    code: 'data-folder-unusable',
    what: 'The database belongs to root, which PostgreSQL refuses to run as',
    where: cluster,
    remedy: `\`chown -R ${preferred(known).name}\` the folder, as it was before it was copied or restored.`,
  });
}

/**
 * Whether `account` can get to `path`, an absolute one without links, by the modes of the folders above it: a home of
 * mode 0700 hides all that is in it. Access lists are not looked at; without them the answer errs towards no.
 */
export async function canReach(account: Account | null, path: string): Promise<boolean> {
  if (account === null) return true;
  const { mode, uid, gid } = await stat(path);
  const digit = uid === account.uid ? mode >> 6 : gid === account.gid ? mode >> 3 : mode;
  const parent = dirname(path);
  return (digit & 1) === 1 && (parent === path || (await canReach(account, parent)));
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | null> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function accounts(): Promise<Account[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

function preferred(known: readonly Account[]): Account {
  const found = PREFERRED.map((name) => known.find((account) => account.name === name)).find(
    (account) => account !== undefined && account.uid > 0,
  );
  if (found !== undefined) return found;
  throw new DatabaseError({
    code: 'data-folder-unusable',
    what: `PostgreSQL does not run as root, and there is no user ${PREFERRED.join(' or ')}`,
    where: '/etc/passwd',
    remedy: 'Add a system user `postgres`, start the overlord as a normal user, or set DATABASE_URL.',
  });
}
