import { FleetError } from '@metrica-fleet/protocol';
import type { Ports } from '../ports/ports.ts';
import { AGENT_BUILT } from '../version.ts';

/** How long a time server is waited for, where nobody says otherwise. Milliseconds. */
const PATIENCE = 90_000;
const PERIOD = 3_000;

/**
 * A Pi has no battery for its clock: it may believe that it is 1970, and then no certificate is valid. `passed` is a
 * moment that has certainly passed, as has that in which this agent was built. While the clock is behind the later of
 * them, a time server gets 90 s (`patience`) to correct it; after that the clock is set to it, which is wrong by less.
 * Certificates are verified in any case. Returns whether the clock was behind. Throws `clock-wrong` where it cannot be set.
 */
export async function raiseClock(
  { clock, exec, log }: Pick<Ports, 'clock' | 'exec' | 'log'>,
  passed: string,
  patience = PATIENCE,
): Promise<boolean> {
  const floor = Date.parse(passed) >= Date.parse(AGENT_BUILT) ? passed : AGENT_BUILT;
  const behind = (): boolean => Date.parse(clock.now().wall) < Date.parse(floor);
  if (!behind()) return false;
  for (let waited = 0; behind() && waited < patience; waited += PERIOD) await clock.sleep(PERIOD);
  if (!behind()) return true;
  const was = clock.now().wall;
  const { code, stderr } = await exec.run({
    label: 'clock.raise',
    argv: ['date', '--utc', `--set=${floor}`],
    deadline: 10_000,
  });
  if (code !== 0) {
    throw new FleetError({
      code: 'clock-wrong',
      what: `The clock says ${was}, which is before ${floor}, and cannot be set: ${stderr.trim()}`,
      remedy: 'Let the device reach a time server (NTP, UDP port 123), or set it with `date -s`.',
    });
  }
  log.notice(
    'No time server has answered; the clock was set to the latest moment that is known to have passed',
    {
      was,
      now: floor,
    },
  );
  return true;
}
