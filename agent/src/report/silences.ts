import { canonicalJson, problemOf } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import { readOutages, withSilence, writeOutages, type Outages } from '../sources/outages.ts';
import { readSilences, writeSilences, type Silences, type Sound } from '../sources/silence.ts';
import { reportReturn } from './outage.ts';

/** What came of the sources that were asked. */
export interface Heard {
  readonly sounds: readonly Sound[];
  /** The source that was followed so far; null for none. */
  readonly followed: string | null;
}

type Places = Pick<Context, 'ports' | 'paths' | 'sources' | 'config'>;

/**
 * Remembers which sources are silent: in memory each time, on the card when an outage begins, and once in each boot that
 * it lasts. One that is over is reported, then forgotten.
 */
export async function keepSilences(context: Places, { sounds: heard, followed }: Heard): Promise<void> {
  const { ports, paths } = context;
  // A stick that is not plugged in is no outage.
  const sounds = heard.filter(({ source }) => !source.carrier);
  const before = await readSilences(ports.disk, paths.run.silences);
  const silences = silencesAfter(before, sounds);
  if (canonicalJson(silences) !== canonicalJson(before))
    await writeSilences(ports.disk, paths.run.silences, silences);
  try {
    await keepOutages(context, sounds, { before, followed });
  } catch (thrown) {
    // A card that takes no more: what runs and what is wanted do not depend on it.
    ports.log.debug('An outage could not be written down', { problem: problemOf(thrown) });
  }
}

/** The same for all sources, after they were asked in order. */
export async function keepRound(context: Places, heard: Heard): Promise<void> {
  await keepSilences(context, heard);
  try {
    await forgetUnasked(context, heard.sounds);
  } catch (thrown) {
    context.ports.log.debug('An outage could not be forgotten', { problem: problemOf(thrown) });
  }
}

/** Forgets what was known of sources that are not asked any more, since one above them leads, or are configured no more. */
async function forgetUnasked(context: Places, heard: readonly Sound[]): Promise<void> {
  const { ports, paths, sources } = context;
  const isKnown = ([name]: [string, unknown]): boolean =>
    heard.some(({ source }) => source.name === name) ||
    sources.some((source) => source.name === name && source.tell !== undefined);
  const outages = await readOutages(ports.disk, paths.outages);
  const known = Object.fromEntries(Object.entries(outages).filter(isKnown));
  if (Object.keys(known).length < Object.keys(outages).length)
    await writeOutages(ports.disk, paths.outages, known);
  const silences = await readSilences(ports.disk, paths.run.silences);
  const still = Object.fromEntries(Object.entries(silences).filter(isKnown));
  if (Object.keys(still).length < Object.keys(silences).length)
    await writeSilences(ports.disk, paths.run.silences, still);
}

function silencesAfter(before: Silences, sounds: readonly Sound[]): Silences {
  const after = new Map(Object.entries(before));
  for (const { source, silence } of sounds) {
    if (silence === null) after.delete(source.name);
    else after.set(source.name, silence);
  }
  return Object.fromEntries(after);
}

interface Knowledge {
  readonly before: Silences;
  readonly followed: string | null;
}

async function keepOutages(
  context: Places,
  sounds: readonly Sound[],
  { before, followed }: Knowledge,
): Promise<void> {
  const { ports, paths } = context;
  const known = await readOutages(ports.disk, paths.outages);
  let outages: Outages = known;
  for (const { source, silence } of sounds) {
    const { name } = source;
    if (silence !== null) {
      outages = withSilence(outages, { source: name, silence }, ports.clock.now());
      continue;
    }
    const { [name]: outage, ...rest } = outages;
    if (outage === undefined) continue;
    await reportReturn(context, { source: name, outage, silence: before[name], followed });
    outages = rest;
  }
  if (outages !== known) await writeOutages(ports.disk, paths.outages, outages);
}
