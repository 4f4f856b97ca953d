import type { Disk, Paths } from '@metrica-fleet/agent';

export interface Asked {
  readonly disk: Disk;
  readonly paths: Paths;
  /** Seconds. */
  readonly uptime: number;
  /** Ids of the containers that run. */
  running(): ReadonlySet<string>;
}

/**
 * Is a run due, and has somebody asked for it? The rules of `agent/debian/gate`, which a device has in shell so that
 * nothing of Node starts each minute.
 */
export async function gate(asked: Asked): Promise<'no' | 'due' | 'woken'> {
  const { disk, paths } = asked;
  const { run } = paths;
  if (await isThere(disk, run.wake)) {
    await disk.remove('gate.woken', run.wake);
    return 'woken';
  }
  if (!(await isThere(disk, paths.config)) && !(await isThere(disk, paths.journal))) return 'no';
  if (await isThere(disk, run.unfinished)) return 'due';
  const due = /^(\d{1,11})\n?$/.exec((await disk.readText(run.nextDue)) ?? '')?.[1];
  if (due === undefined || Math.floor(asked.uptime) >= Number(due)) return 'due';
  const expected = ((await disk.readText(run.expected)) ?? '').split('\n').filter((id) => id !== '');
  const running = asked.running();
  return expected.every((id) => running.has(id)) ? 'no' : 'due';
}

async function isThere(disk: Disk, path: string): Promise<boolean> {
  return (await disk.stat(path)) !== null;
}
