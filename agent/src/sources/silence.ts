import { parse, ProblemSchema, type Problem } from '@metrica-fleet/protocol';
import { Integer, Literal, Number as Num, Object as Obj, Record, String as Str, type Static } from 'typebox';
import { pauseBeforeAsking } from '../decide/backoff.ts';
import type { Disk } from '../ports/disk.ts';
import type { Moment } from '../ports/clock.ts';
import type { Source } from './source.ts';

/** A source that was asked in vain, in this boot. All in seconds of uptime. */
const SilenceSchema = Obj({
  /** When it was asked in vain for the first time. */
  since: Num(),
  tries: Integer({ minimum: 1 }),
  /** When it is asked again. */
  again: Num(),
  /** Why it did not answer the last time. */
  problem: ProblemSchema,
});
export type Silence = Static<typeof SilenceSchema>;

/** Whether a source has answered. */
export interface Sound {
  readonly source: Source;
  /** Null where it has. */
  readonly silence: Silence | null;
}

/** By the name of the source. */
export type Silences = Readonly<globalThis.Record<string, Silence>>;

const FileSchema = Obj({ schemaVersion: Literal(1), silences: Record(Str(), SilenceSchema) });

/** What is known of this boot; nothing after a boot, and where the file is damaged: then every source is asked. */
export async function readSilences(disk: Disk, path: string): Promise<Silences> {
  const text = await disk.readText(path);
  if (text === null) return {};
  try {
    return parse(FileSchema, JSON.parse(text), { where: path }).silences;
  } catch {
    return {};
  }
}

/** Kept in memory only: an outage of a month costs the card nothing. */
export async function writeSilences(disk: Disk, path: string, silences: Silences): Promise<void> {
  await disk.write('silences.write', path, {
    content: `${JSON.stringify({ schemaVersion: 1, silences })}\n`,
  });
}

/** The silence after one more question that was not answered. */
export function asked(
  before: Silence | undefined,
  { problem, interval }: { readonly problem: Problem; readonly interval: number },
  now: Moment,
): Silence {
  const since = before?.since ?? now.uptime;
  const tries = (before?.tries ?? 0) + 1;
  const pause = pauseBeforeAsking({ tries, silentFor: now.uptime - since, interval }, now);
  return { since, tries, again: now.uptime + pause, problem };
}
