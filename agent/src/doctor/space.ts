import { SPACE_MARGIN } from '../sources/space.ts';
import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { says, textAt, topic, type Patient } from './patient.ts';

/** One file system that the agent or Docker writes to. Sizes in bytes. */
interface FileSystem {
  readonly path: string;
  readonly size: number;
  readonly free: number;
  /** 0 where the file system does not count them. */
  readonly inodes: number;
  readonly freeInodes: number;
}

export interface SpaceFacts {
  readonly systems: readonly FileSystem[];
  /** `/proc/meminfo`. */
  readonly meminfo: string;
  /** Processes that the kernel has killed for memory since the start; null where it does not count them. */
  readonly oomKills: number | null;
}

const MEBIBYTE = 1024 * 1024;
/** Below this an update of a usual role does not fit. */
const LITTLE = 500 * MEBIBYTE;
const LITTLE_MEMORY = 48 * MEBIBYTE;

async function gatherSpace(patient: Patient): Promise<SpaceFacts> {
  // The folders above: they are there on every device, and may be looked at by every user.
  const places = ['/', '/var/lib', '/opt'].map(patient.at);
  const columns = '--output=size,avail,itotal,iavail,target';
  const said = await says(patient, 'doctor.space', ['df', '--block-size=1', columns, ...places]);
  const vmstat = await textAt(patient, '/proc/vmstat');
  const kills = /^oom_kill (\d+)$/m.exec(vmstat ?? '')?.[1];
  return {
    systems: systemsIn(said?.out ?? ''),
    meminfo: (await textAt(patient, '/proc/meminfo')) ?? '',
    oomKills: kills === undefined ? null : Number(kills),
  };
}

function systemsIn(table: string): FileSystem[] {
  const systems = new Map<string, FileSystem>();
  for (const line of table.split('\n').slice(1)) {
    const [size = 0, free = 0, inodes = 0, freeInodes = 0] = line.trim().split(/\s+/).map(Number);
    const path = /(\/.*)$/.exec(line)?.[1];
    if (path !== undefined) systems.set(path, { path, size, free, inodes: inodes || 0, freeInodes });
  }
  return [...systems.values()];
}

export function judgeSpace({ systems, meminfo, oomKills }: SpaceFacts): readonly Finding[] {
  const space = systems.map(judgeFree).filter(({ severity }) => severity !== 'ok');
  const inodes = systems.map(judgeInodes).filter(({ severity }) => severity !== 'ok');
  const free = systems.map(({ path, free: bytes }) => `${mebibytes(bytes)} on ${path}`).join(', ');
  return [
    ...(systems.length === 0 ? [unknown('disk-space', '`df` does not answer')] : []),
    ...(systems.length > 0 && space.length === 0 ? [ok('disk-space', `Free: ${free}`)] : space),
    ...(systems.length > 0 && inodes.length === 0 ? [ok('inodes', 'There are enough')] : inodes),
    judgeMemory(meminfo, oomKills),
  ];
}

function judgeFree({ path, size, free }: FileSystem): Finding {
  const check = 'disk-space';
  const seen = `${mebibytes(free)} of ${mebibytes(size)} are free on ${path}`;
  const words = {
    remedy: `See what takes it: \`docker system df\`, \`du -xh ${path} | sort -h | tail\``,
    command: 'journalctl --vacuum-size=32M; apt-get clean; docker image prune',
  };
  if (free < SPACE_MARGIN.bytes)
    return problem(check, seen, { why: 'Databases and logs stop, and no update is begun', ...words });
  if (free < LITTLE || free < size * 0.05)
    return warning(check, seen, { why: 'The next release may not fit beside the one that runs', ...words });
  return ok(check, seen);
}

function judgeInodes({ path, inodes, freeInodes }: FileSystem): Finding {
  const check = 'inodes';
  const seen = `${freeInodes} of ${inodes} inodes are free on ${path}`;
  const words = {
    why: 'No file can be made once they are used up, whatever `df -h` says',
    remedy: `See where the many small files are: \`du -x --inodes ${path} | sort -n | tail\``,
  };
  if (inodes === 0) return ok(check, `${path} does not count inodes`);
  if (freeInodes < SPACE_MARGIN.inodes) return problem(check, seen, words);
  return freeInodes < inodes * 0.05 ? warning(check, seen, words) : ok(check, seen);
}

function judgeMemory(meminfo: string, oomKills: number | null): Finding {
  const check = 'memory';
  const total = kilobytesIn(meminfo, 'MemTotal');
  const available = kilobytesIn(meminfo, 'MemAvailable');
  if (total === null || available === null) return unknown(check, '/proc/meminfo cannot be read');
  const seen = `${mebibytes(available)} of ${mebibytes(total)} are available`;
  const words = {
    remedy:
      'See who has it: `docker stats --no-stream`, `ps aux --sort=-rss | head`; give services a `mem_limit`',
  };
  if (oomKills !== null && oomKills > 0) {
    const why = 'A service that is killed again and again takes its release down with it';
    return warning(check, `The kernel has killed ${oomKills} processes for memory since the start; ${seen}`, {
      why,
      ...words,
    });
  }
  if (available < LITTLE_MEMORY)
    return warning(check, seen, { why: 'A run of the agent needs about 50 MB for some seconds', ...words });
  return ok(check, seen);
}

function kilobytesIn(meminfo: string, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1];
  return found === undefined ? null : Number(found) * 1024;
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)} MiB`;
}

export const SPACE = topic('space', gatherSpace, judgeSpace);
