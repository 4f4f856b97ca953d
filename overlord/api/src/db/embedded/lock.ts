import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { DatabaseError } from '../database-error.ts';

/** A former holder that was just killed may be gone a moment later. Seconds. */
const PATIENCE = 2;
/** Told apart from every way in which `flock` itself can fail. */
const HELD = 75;

export interface Lock {
  /** Resolves when the lock is gone though nobody released it: somebody killed the process that holds it for us. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes a data folder for this process. The kernel's lock on the file is held by a `cat` that ends when we do, in
 * whatever way, so that it never needs to be cleaned up; it holds between containers and over NFS too.
 * Throws `database-in-use` with the pid of the holder, `start-failed` when it cannot be taken at all.
 */
export async function takeLock(file: string): Promise<Lock> {
  const argv = ['--timeout', `${PATIENCE}`, '--no-fork', '--conflict-exit-code', `${HELD}`, file, 'cat'];
  // Its own process group: Ctrl-C is for us to handle, with the lock held until the server has stopped.
  const holder = spawn('flock', argv, { detached: true, stdio: 'pipe' });
  const exit = new Promise<number | null>((resolve, reject) => {
    holder.once('exit', resolve);
    holder.once('error', reject);
  });
  try {
    await echoed(holder, exit);
    await writeFile(file, `${process.pid}\n`);
  } catch (error) {
    holder.stdin?.end();
    throw await refusal(file, error);
  }
  return {
    lost: exit.then(() => undefined),
    async release() {
      holder.stdin?.end();
      await exit;
    },
  };
}

class Refused extends Error {
  readonly exit: number | null;

  constructor(exit: number | null, said: string) {
    super(said.trim());
    this.exit = exit;
  }
}

/** Resolves when `cat` gives back what it was given, which it does only under the lock. */
async function echoed(holder: ChildProcess, exit: Promise<number | null>): Promise<void> {
  const { stdin, stdout, stderr } = holder;
  if (stdin === null || stdout === null || stderr === null)
    throw new Error('flock was started without pipes');
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  stdin.on('error', () => undefined);
  stdin.write('locked\n');
  const refused = exit.then((code) => {
    throw new Refused(code, said);
  });
  await Promise.race([once(stdout, 'data'), refused]);
  // From here on an exit is the business of `lost`.
  refused.catch(() => undefined);
}

async function refusal(file: string, error: unknown): Promise<DatabaseError> {
  if (error instanceof Refused && error.exit === HELD) {
    const pid = (await readFile(file, 'utf8')).trim();
    return new DatabaseError({
      code: 'database-in-use',
      what: `Another overlord${pid === '' ? '' : `, process ${pid},`} uses this database`,
      where: file,
      remedy: 'Stop it first, or give this one a data folder of its own.',
    });
  }
  return new DatabaseError(
    {
      code: 'start-failed',
      what: `The database cannot be locked: ${error instanceof Error ? error.message : String(error)}`,
      where: file,
      remedy: 'The lock needs a writable folder, and `flock` of the package util-linux.',
    },
    { cause: error },
  );
}
