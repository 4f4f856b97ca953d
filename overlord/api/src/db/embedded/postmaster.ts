import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process. `started` is its start in clock ticks since boot: pids come back, this pair does not. */
export interface Process {
  readonly pid: number;
  readonly started: string;
}

/** Of PostgreSQL, as the kernel names them. */
const PROGRAMS: ReadonlySet<string> = new Set(['postgres', 'initdb']);
/** How often we look whether a process has ended. Milliseconds. */
const LOOK = 20;

/**
 * The live postmaster of `cluster`, or null. A pid file that is left over (its process gone, or now another program)
 * is removed, because PostgreSQL itself would take any live process with that pid for a server.
 */
export async function findPostmaster(cluster: string): Promise<Process | null> {
  const file = join(cluster, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  const found = await processAt(Number.parseInt(text, 10), cluster);
  if (found === null) await rm(file, { force: true });
  return found;
}

/**
 * The process with this pid, if it is one of PostgreSQL that works in `cluster`: a server and its children never leave
 * their data folder.
 */
export async function processAt(pid: number, cluster: string): Promise<Process | null> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return null;
  const started = await startOf(pid);
  if (started === null) return null;
  try {
    const [name, its, ours] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8'),
      stat(`/proc/${pid}/cwd`),
      stat(cluster),
    ]);
    const same = PROGRAMS.has(name.trim()) && its.dev === ours.dev && its.ino === ours.ino;
    return same ? { pid, started } : null;
  } catch {
    // Gone meanwhile, or of another user, as no server of our cluster can be.
    return null;
  }
}

/** False as soon as it has ended, also while nobody has collected its exit status. */
export async function isAlive({ pid, started }: Process): Promise<boolean> {
  return (await startOf(pid)) === started;
}

/** Sends a signal, unless the process has ended. */
export async function send(to: Process, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(to))) return;
  try {
    process.kill(to.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits for its end; false when it is still there after `deadline` milliseconds. */
export async function hasEnded(awaited: Process, deadline: number): Promise<boolean> {
  for (let waited = 0; waited < deadline; waited += LOOK) {
    if (!(await isAlive(awaited))) return true;
    await sleep(LOOK);
  }
  return !(await isAlive(awaited));
}

/** Field 22 of proc(5) stat; null for a process that is gone or a zombie. The name before may hold spaces and brackets. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}
