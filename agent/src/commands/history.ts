import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';

/** One line of the history file, as far as it is printed. */
interface Line {
  readonly at: string;
  readonly event: string;
  readonly role?: string;
  readonly commit?: string;
  readonly problem?: { readonly code: string; readonly what: string };
}

/** Prints what happened on this device, oldest first. `limit` is the number of entries. */
export async function history(
  disk: Disk,
  paths: Paths,
  options: { json: boolean; limit: number },
): Promise<string> {
  const texts = await Promise.all([disk.readText(`${paths.history}.1`), disk.readText(paths.history)]);
  const lines = texts
    .flatMap((text) => (text ?? '').split('\n'))
    .flatMap(parseLine)
    .slice(-options.limit);
  if (options.json) return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  if (lines.length === 0) return 'Nothing has happened yet.\n';
  return lines.map((line) => `${render(line)}\n`).join('');
}

/** A torn last line (a power cut while it was appended) is passed over. */
function parseLine(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}

function render({ at, event, role, commit, problem }: Line): string {
  const release = role === undefined ? '' : ` ${role}@${commit?.slice(0, 12) ?? ''}`;
  return `${at}  ${event.padEnd(14)}${release}${problem === undefined ? '' : `  ${problem.code}: ${problem.what}`}`;
}
