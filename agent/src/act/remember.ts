import { formerJournal, journalText, parseJournal } from '../observe/journal.ts';
import { readable } from '../observe/readable.ts';
import type { Journal } from '../decide/journal.ts';
import type { HistoryEntry, Step } from '../decide/vocabulary.ts';
import { reportSteps } from '../report/report-steps.ts';
import type { Context } from './context.ts';

/** Bytes after which the history file is rotated; one former file is kept. */
const HISTORY_LIMIT = 256 * 1024;

/**
 * Makes a step durable before its effect starts: history first, journal last, nothing at all where nothing changed.
 * Returns the id of the report that went into the outbox, or null.
 */
export async function remember(context: Context, before: Journal, step: Step): Promise<string | null> {
  for (const entry of step.history) await record(context, entry);
  const report = await reportSteps(context, before, step.history);
  if (step.journal === before) return report;
  const { disk } = context.ports;
  await keepFormer(context);
  await disk.replace('journal.write', context.paths.journal, journalText(step.journal));
  return report;
}

/** Only a whole journal is worth keeping: a damaged one would take the place of the copy that saved the day. */
async function keepFormer({ ports: { disk }, paths }: Context): Promise<void> {
  const text = await readable(disk, paths.journal);
  if (text === null || parseJournal(text) === null) return;
  await disk.replace('journal.former', formerJournal(paths.journal), text);
}

async function record({ ports, paths }: Context, entry: HistoryEntry): Promise<void> {
  const { at, problem, event, state, ...fields } = entry;
  const level = problem === undefined ? 'notice' : 'warning';
  ports.log[level](event, { state, ...fields, ...(problem === undefined ? {} : { problem }) });
  const size = (await ports.disk.stat(paths.history))?.size ?? 0;
  if (size > HISTORY_LIMIT) await ports.disk.rename('history.rotate', paths.history, `${paths.history}.1`);
  await ports.disk.append('history.append', paths.history, JSON.stringify({ ...entry, at: at.wall }));
}
