import { readdirSync, readFileSync } from 'node:fs';

/** Of the kernel's clock for accounting: USER_HZ, 100 on every Linux that Node runs on. Milliseconds. */
const TICK = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly own: number;
  /** Of the children that have ended. */
  readonly gone: number;
}

/** CPU that a process has used so far, user and system, its threads included. Milliseconds. */
export function cpuOf(pid: number): number {
  return (statOf(pid)?.own ?? 0) * TICK;
}

/** The same, with its children, those too that have ended meanwhile. */
export function cpuWithChildren(pid: number): number {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [statOf(Number(name))] : []));
  return all.reduce((sum, stat) => {
    if (stat?.pid === pid) return sum + (stat.own + stat.gone) * TICK;
    return stat?.parent === pid ? sum + stat.own * TICK : sum;
  }, 0);
}

/** See proc_pid_stat(5). Null for a process that has ended. */
function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses, and may have spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const at = (index: number): number => Number(fields[index]);
    return { pid, parent: at(1), own: at(11) + at(12), gone: at(13) + at(14) };
  } catch {
    return null;
  }
}
