import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whom the server runs as. PostgreSQL refuses to run as root. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Ourselves; as root, the owner of the data directory when there is one, else the user `postgres`, else `nobody`.
 * Null: no change of user is needed.
 */
export async function ownerOf(pgdata: string): Promise<Owner | null> {
  if (process.getuid?.() !== 0) return null;
  const found = await stat(pgdata).catch(() => null);
  if (found !== null && found.uid !== 0) return { uid: found.uid, gid: found.gid };
  const users = await readFile('/etc/passwd', 'utf8');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] =
      users
        .split('\n')
        .find((line) => line.startsWith(`${name}:`))
        ?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.',
  );
}

/** Throws, naming the folder, unless everybody may pass through all folders above `path`. */
export async function requireReachable(path: string, owner: Owner | null): Promise<void> {
  if (owner === null) return;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if ((mode & 0o001) !== 0 || uid === owner.uid) continue;
    throw new Error(
      `PostgreSQL runs as an unprivileged user (uid ${owner.uid}), who cannot enter ${folder}. ` +
        'Choose another data folder with --data, or let others pass: chmod o+x.',
    );
  }
}
