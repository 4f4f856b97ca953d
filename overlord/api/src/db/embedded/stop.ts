import { DatabaseError } from '../database-error.ts';
import type { DatabaseLog } from '../log.ts';
import { hasEnded, send, type Process } from './postmaster.ts';

/** Signals of the server in the order of their force, with the milliseconds that each is given. */
const STEPS = [
  { name: 'fast', signal: 'SIGINT', deadline: 30_000 },
  // No shutdown checkpoint; the next start recovers from the write-ahead log, nothing committed is lost.
  { name: 'immediate', signal: 'SIGQUIT', deadline: 5_000 },
  { name: 'killed', signal: 'SIGKILL', deadline: 5_000 },
] as const;

/** Ends a server: a fast shutdown, and when that takes too long an immediate one. Throws `start-failed` if it survives. */
export async function stopPostmaster(postmaster: Process, log: DatabaseLog): Promise<void> {
  // One that is stopped (SIGSTOP, a debugger) could not hear the others.
  await send(postmaster, 'SIGCONT');
  for (const { name, signal, deadline } of STEPS) {
    await send(postmaster, signal);
    if (await hasEnded(postmaster, deadline)) return;
    log.warn({ pid: postmaster.pid, shutdown: name, waited: deadline }, 'PostgreSQL did not stop in time');
  }
  throw new DatabaseError({
    code: 'start-failed',
    what: `PostgreSQL, process ${postmaster.pid}, cannot be stopped`,
    remedy: 'Its disk may hang; look at `dmesg`.',
  });
}
