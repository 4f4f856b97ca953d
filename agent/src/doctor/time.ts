import { AGENT_BUILT } from '../version.ts';
import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { says, topic, type Patient } from './patient.ts';

export interface TimeFacts {
  /** The clock of this device, ISO 8601 UTC. */
  readonly now: string;
  /** A moment that has certainly passed: when this agent was built. */
  readonly passed: string;
  /** `timedatectl show`; null where it does not answer. */
  readonly timedatectl: string | null;
}

async function gatherTime(patient: Patient): Promise<TimeFacts> {
  const said = await says(patient, 'doctor.time', ['timedatectl', 'show']);
  return {
    now: patient.ports.clock.now().wall,
    passed: AGENT_BUILT,
    timedatectl: said?.code === 0 ? said.out : null,
  };
}

export function judgeTime(facts: TimeFacts): readonly Finding[] {
  return [judgeClock(facts), judgeSync(facts)];
}

function judgeClock({ now, passed }: TimeFacts): Finding {
  const check = 'clock';
  if (Date.parse(now) >= Date.parse(passed)) return ok(check, `The clock says ${now}`);
  return problem(check, `The clock says ${now}, which is before ${passed}`, {
    why: 'No certificate is valid yet: the overlord, Git over https and registries are out of reach',
    remedy: 'Let it reach a time server (UDP port 123); or set it by hand, with a time of today',
    command: `date --utc --set='${passed}'`,
  });
}

function judgeSync({ timedatectl }: TimeFacts): Finding {
  const check = 'time-sync';
  const why =
    'A Raspberry Pi keeps no time while it is off: without a time server its clock is wrong after each start';
  if (timedatectl === null) {
    return unknown(check, '`timedatectl` does not answer', {
      remedy: 'Without D-Bus nobody can tell: `systemctl status dbus systemd-timesyncd chrony`',
    });
  }
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(timedatectl)?.[1];
  if (value('NTPSynchronized') === 'yes') return ok(check, 'The clock is kept by a time server');
  if (value('CanNTP') === 'no') {
    return warning(check, 'No time service is installed', {
      why,
      command: 'apt-get update && apt-get install systemd-timesyncd && timedatectl set-ntp true',
    });
  }
  if (value('NTP') === 'no')
    return warning(check, 'The time service is switched off', { why, command: 'timedatectl set-ntp true' });
  return warning(check, 'The time service runs, and no server has answered it', {
    why,
    remedy:
      'Let UDP port 123 through, or name a server of your own as NTP= in /etc/systemd/timesyncd.conf; `timedatectl timesync-status` shows the one that is asked',
    command: 'systemctl restart systemd-timesyncd',
  });
}

export const TIME = topic('time', gatherTime, judgeTime);
