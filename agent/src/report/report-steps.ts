import { canonicalJson } from '@metrica-fleet/protocol';
import type { Report } from '@metrica-fleet/protocol/api';
import type { Context } from '../act/context.ts';
import type { Journal } from '../decide/journal.ts';
import type { HistoryEntry } from '../decide/vocabulary.ts';
import { hasOverlord } from '../config.ts';
import { addReport, reportId } from './outbox.ts';

/** What the overlord is told of each line of the history; null: that is between the lines. */
const KINDS: Readonly<Record<HistoryEntry['event'], Report['kind'] | null>> = {
  'update-started': 'staging',
  staged: null,
  activated: 'activated',
  updated: 'updated',
  failed: 'failed',
  delayed: 'delayed',
  reverted: 'reverted',
  repaired: 'repaired',
  rebuilt: 'rebuilt',
  scheduled: 'delayed',
  collected: null,
  'safe-mode': 'safe-mode',
};

/**
 * Puts what a step did into the outbox, where there is an overlord. Returns the id of the last report, or null. The id
 * comes from the journal before the step: a step that is repeated after a crash is the same report.
 */
export async function reportSteps(
  { ports, paths, config }: Pick<Context, 'ports' | 'paths' | 'config'>,
  before: Journal,
  history: readonly HistoryEntry[],
): Promise<string | null> {
  let last: string | null = null;
  for (const { at, event, role, commit, digest, detail, problem } of hasOverlord(config) ? history : []) {
    const kind = KINDS[event];
    if (kind === null) continue;
    last = reportId(config.device, event, canonicalJson(before));
    await addReport(ports.disk, paths.outbox, {
      id: last,
      at: at.wall,
      kind,
      ...(role === undefined ? {} : { role }),
      ...(commit === undefined ? {} : { commit }),
      ...(digest === undefined ? {} : { digest }),
      ...(detail === undefined ? {} : { detail }),
      ...(problem === undefined ? {} : { problem }),
    });
  }
  return last;
}
