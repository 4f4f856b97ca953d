import { parse, problemOf, TimeSchema } from '@metrica-fleet/protocol';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports/ports.ts';
import { readDeviceFile } from './identity.ts';
import { raiseClock } from './raise-clock.ts';

/** Seconds by which the kept time may be late: so often at most it costs the card a write. */
const SPARSE = 86_400;

interface Places {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'exec' | 'log'>;
  readonly paths: Paths;
}

/**
 * Before anybody is asked: a clock that is behind the latest moment known to have passed (as after a boot of a board
 * without a battery, where no time server is to be reached) is set to that. Wrong by less, and right enough for
 * certificates; a time server corrects it when it is there. What is waited for is uptime and does not notice.
 */
export async function holdTime({ ports, paths }: Places): Promise<void> {
  try {
    await raiseClock(ports, await timeFloor({ ports, paths }), 0);
  } catch (thrown) {
    // The source that minds says so itself; a line for each run would be written to the card.
    ports.log.debug('The clock is wrong and cannot be set', { problem: problemOf(thrown) });
  }
}

/**
 * Keeps a time that the overlord has said over a verified connection, at most once a day. Never more than the clock of
 * the device says too: both would have to be wrong for the floor to be.
 */
export async function keepTime(
  { ports, paths }: Pick<Places, 'paths'> & { readonly ports: Pick<Ports, 'clock' | 'disk'> },
  said: string,
): Promise<void> {
  const { wall } = ports.clock.now();
  const passed = Date.parse(said) < Date.parse(wall) ? said : wall;
  const kept = await keptTime({ ports, paths });
  if (kept !== null && Date.parse(passed) - Date.parse(kept) < SPARSE * 1000) return;
  await ports.disk.replace('time.keep', paths.timeFloor, `${passed}\n`);
}

/** The later of what was kept and of the enrolment; the moment in which the agent was built is `raiseClock`'s. */
async function timeFloor({ ports, paths }: Places): Promise<string> {
  const kept = await keptTime({ ports, paths });
  const enrolled = (await readDeviceFile(ports.disk, paths))?.enrolledAt ?? null;
  const known = [kept, enrolled].filter((time) => time !== null).map((time) => Date.parse(time));
  return `${new Date(Math.max(0, ...known)).toISOString().slice(0, 19)}Z`;
}

async function keptTime({
  ports,
  paths,
}: Pick<Places, 'paths'> & { ports: Pick<Ports, 'disk'> }): Promise<string | null> {
  try {
    const text = await ports.disk.readText(paths.timeFloor);
    return text === null ? null : parse(TimeSchema, text.trim(), { where: paths.timeFloor });
  } catch {
    return null;
  }
}
