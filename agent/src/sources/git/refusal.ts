import { blameOf, FleetError, type Problem } from '@metrica-fleet/protocol';
import type { GitContext } from './git.ts';

/**
 * A head that cannot be fetched because of what it holds (a file of a gigabyte) is not fetched again at every run:
 * on a metered link that would cost its size each time. The note lies beside the cache and goes with the next head.
 */
export async function refusedBefore({ ports, paths }: GitContext, position: string): Promise<void> {
  const note = parseNote(await ports.disk.readText(noteBeside(paths.git)));
  if (note?.position === position) throw new FleetError(note.problem);
}

/** Notes a refusal, if the content is to blame for it. */
export async function rememberRefusal(
  { ports, paths }: GitContext,
  position: string,
  thrown: unknown,
): Promise<void> {
  if (!(thrown instanceof FleetError) || blameOf(thrown.problem) !== 'content') return;
  const note = JSON.stringify({ position, problem: thrown.problem });
  await ports.disk.replace('git.refusal', noteBeside(paths.git), `${note}\n`);
}

function noteBeside(cache: string): string {
  return `${cache}-refused.json`;
}

function parseNote(text: string | null): { position: string; problem: Problem } | null {
  try {
    return text === null ? null : (JSON.parse(text) as { position: string; problem: Problem });
  } catch {
    return null;
  }
}
