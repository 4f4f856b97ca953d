import { parse, TimeSchema } from '@metrica-fleet/protocol';
import { Integer, Literal, Number as Num, Object as Obj, Record, String as Str, type Static } from 'typebox';
import type { Disk } from '../ports/disk.ts';
import type { Moment } from '../ports/clock.ts';
import type { Silence } from './silence.ts';

/** Questions without an answer from which a silence is an outage: one alone is a hiccup. */
const OUTAGE_TRIES = 2;

/** An outage that goes on. On the card, so that a reboot does not hide it: written when it begins, and once a boot. */
const OutageSchema = Obj({
  /** `wall` is what the clock said then. */
  since: Obj({ wall: TimeSchema, uptime: Num(), boot: Str() }),
  /** The last boot in which the source was asked in vain. */
  boot: Str(),
  /** Boots since then in which it was asked in vain, after the first. */
  restarts: Integer({ minimum: 0 }),
});
export type Outage = Static<typeof OutageSchema>;

const FileSchema = Obj({ schemaVersion: Literal(1), outages: Record(Str(), OutageSchema) });

/** By the name of the source. */
export type Outages = Readonly<globalThis.Record<string, Outage>>;

/** What goes on; nothing where the file cannot be read. */
export async function readOutages(disk: Disk, path: string): Promise<Outages> {
  try {
    const text = await disk.readText(path);
    return text === null ? {} : parse(FileSchema, JSON.parse(text), { where: path }).outages;
  } catch {
    return {};
  }
}

/** The outages after one more question that `source` did not answer; the very same where there is nothing to write. */
export function withSilence(
  outages: Outages,
  { source, silence }: { readonly source: string; readonly silence: Silence },
  now: Moment,
): Outages {
  const known = outages[source];
  if (known !== undefined) {
    if (known.boot === now.boot) return outages;
    return { ...outages, [source]: { ...known, boot: now.boot, restarts: known.restarts + 1 } };
  }
  if (silence.tries < OUTAGE_TRIES) return outages;
  const since = { wall: wallAt(silence.since, now), uptime: silence.since, boot: now.boot };
  return { ...outages, [source]: { since, boot: now.boot, restarts: 0 } };
}

/** Seconds for which a source has been silent for sure: in this boot by uptime; one from before it lasts for ever. */
export function silentFor(outage: Outage | undefined, silence: Silence, now: Moment): number {
  return outage !== undefined && outage.since.boot !== now.boot ? Infinity : now.uptime - silence.since;
}

/** Keeps what goes on, without what is configured no more. */
export async function writeOutages(disk: Disk, path: string, outages: Outages): Promise<void> {
  if (Object.keys(outages).length === 0) return disk.remove('outages.over', path);
  await disk.replace('outages.write', path, `${JSON.stringify({ schemaVersion: 1, outages })}\n`);
}

/** What the clock says that it was at an uptime of this boot. */
export function wallAt(uptime: number, now: Moment): string {
  const at = new Date(Date.parse(now.wall) - (now.uptime - uptime) * 1000);
  return `${at.toISOString().slice(0, 19)}Z`;
}
