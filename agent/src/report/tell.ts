import { blameOf, problemOf, type Status } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import type { Journal } from '../decide/journal.ts';
import type { World } from '../observe/world.ts';
import { asked, readSilences, type Silence } from '../sources/silence.ts';
import type { Source } from '../sources/source.ts';
import { intervalOf } from './report.ts';
import { keepSilences } from './silences.ts';

/** How a run ended. */
export interface Ended {
  readonly status: Status;
  readonly world: World;
  readonly journal: Journal;
}

/**
 * Tells the sources that listen how the run ended. One that cannot be told is asked again about a minute later, and then
 * less and less often: a rollout waits for what came of an update, and the interval of the role may be an hour.
 */
export async function tell(context: Context, ended: Ended): Promise<void> {
  const { ports, paths, sources } = context;
  for (const source of sources) {
    if (source.tell === undefined || wasSilent(ended, source)) continue;
    const before = (await readSilences(ports.disk, paths.run.silences))[source.name];
    if (before !== undefined && before.again > ports.clock.now().uptime) await comeBack(context, before);
    else await tellOne(context, ended, { source, before });
  }
}

/** In vain in this run already; when it is asked again has been settled then. */
function wasSilent({ world }: Ended, { name }: Source): boolean {
  return world.contacts.some(({ source, answered }) => source === name && !answered);
}

interface Listener {
  readonly source: Source;
  readonly before: Silence | undefined;
}

async function tellOne(
  context: Context,
  { status, world, journal }: Ended,
  { source, before }: Listener,
): Promise<void> {
  const { clock, log } = context.ports;
  const { desired } = world.seen;
  const followed = desired?.source ?? null;
  try {
    await source.tell?.(status, desired);
    if (before !== undefined) await keepSilences(context, { sounds: [{ source, silence: null }], followed });
  } catch (thrown) {
    const problem = problemOf(thrown);
    log.debug('The end of the run could not be told', { source: source.name, problem });
    const silence = asked(before, { problem, interval: intervalOf(journal) }, clock.now());
    await keepSilences(context, { sounds: [{ source, silence }], followed });
    await comeBack(context, silence);
  }
}

/** A run is due when it is asked again, unless one is due before. One that refuses is asked with the role's interval. */
async function comeBack({ ports: { disk }, paths }: Context, { again, problem }: Silence): Promise<void> {
  if (blameOf(problem) !== 'environment') return;
  const due = Number(await disk.readText(paths.run.nextDue));
  if (again < due) await disk.write('tell.later', paths.run.nextDue, { content: `${Math.ceil(again)}\n` });
}
