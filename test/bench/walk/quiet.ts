import { setTimeout as sleep } from 'node:timers/promises';
import { NETWORK } from '../../virtual-pi/places.ts';
import type { Device } from '../../virtual-pi/scenarios/device.ts';
import { median } from '../support/figures.ts';

/** Bytes at the Pi's network interface, both ways together, with the headers of TCP and IPv4, without those of the link. */
export interface Traffic {
  /** A check-in with nothing new, on a new connection that resumes a TLS session. */
  readonly checkIn: number;
  /** The same with a full handshake. */
  readonly fullCheckIn: number;
  /** A heartbeat of the stream of signals, and whatever else went on meanwhile. */
  readonly heartbeat: number;
  /** The end of a stream and the begin of the next. */
  readonly stream: number;
}

const CHECK_INS = 5;
/** Heartbeats of the stretch in which nobody does anything. */
const HEARTBEATS = 3;
/** Longer than the two minutes between heartbeats. Milliseconds. */
const PATIENCE = 200_000;

/** Everything between the Pi and the machine of its overlord, whatever the protocol. */
const METER = `iptables -N bench
iptables -I INPUT -s ${NETWORK.gateway} -j bench
iptables -I OUTPUT -d ${NETWORK.gateway} -j bench
iptables -A bench -j RETURN`;

/** What a device with nothing new sends and gets. It must have settled and listen. */
export async function measureTraffic(device: Device): Promise<Traffic> {
  const { pi } = device;
  await pi.ok(METER);
  const meter = async (): Promise<number> =>
    Number(await pi.ok(`iptables -nvxL bench | awk '$3 == "RETURN" { print $2 }'`));
  const counted = async (something: () => Promise<unknown>): Promise<number> => {
    const before = await meter();
    await something();
    return (await meter()) - before;
  };

  const forgetSession = 'rm -f /run/role-agent/tls-session.json';
  const fullCheckIn = await counted(() => pi.ok(forgetSession).then(() => checkIn(device)));
  const checkIns: number[] = [];
  while (checkIns.length < CHECK_INS) checkIns.push(await counted(() => checkIn(device)));
  if (checkIns.includes(0)) throw new Error('A run that was asked for did not check in');

  await nextBeat(device);
  const stretch = await counted(async () => {
    for (let beat = 0; beat < HEARTBEATS; beat += 1) await nextBeat(device);
  });
  const stream = await counted(async () => {
    await pi.ok('systemctl restart role-agent-wake.service');
    await nextBeat(device);
  });
  return { checkIn: median(checkIns), fullCheckIn, heartbeat: stretch / HEARTBEATS, stream };
}

/** A run that was asked for checks in; the end of its connection may come a moment later. */
async function checkIn(device: Device): Promise<void> {
  await device.looksAgain();
  await sleep(1_000);
}

/** Resolves when the wake unit has next written down that its stream is alive, as it does for each heartbeat. */
async function nextBeat({ pi }: Device): Promise<void> {
  const look = async (): Promise<string> => (await pi.sh('stat -c %y /run/role-agent-wake/beat')).stdout;
  const before = await look();
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    await sleep(1_000);
    const now = await look();
    if (now !== '' && now !== before) return sleep(1_000);
  }
  throw new Error('The stream of signals had no heartbeat');
}

/** Of a device that is on for 30 days, at the defaults. */
const MONTH = {
  /** Every half hour while the stream is alive: docs/decisions/0004. */
  checkIns: 1_440,
  /** Every two minutes. */
  heartbeats: 21_600,
  /** A token is renewed when two thirds of its day are over, and begins a new stream. */
  streams: 45,
  /** A TLS session ends with its ticket, after a day. */
  days: 30,
} as const;

/** Bytes of a month in which nothing changes. */
export function bytesAMonth(traffic: Traffic): number {
  const { checkIns, heartbeats, streams, days } = MONTH;
  const talk = (checkIns - days) * traffic.checkIn + days * traffic.fullCheckIn;
  return talk + heartbeats * traffic.heartbeat + streams * traffic.stream;
}

/** Memory of all processes of ours. kB. */
export interface Memory {
  /** What others on the machine share is split among them. */
  readonly pss: number;
  /** What several have is counted for each. */
  readonly rss: number;
}

const MEMORY = `for pid in $(grep -ls role-agent /proc/[0-9]*/cgroup | cut -d/ -f3); do
  cat /proc/$pid/smaps_rollup
done | awk '/^Pss:/ { pss += $2 } /^Rss:/ { rss += $2 } END { print pss + 0, rss + 0 }'`;

/** Between two runs. */
export async function residentMemory({ pi }: Device): Promise<Memory> {
  const [pss = Number.NaN, rss = Number.NaN] = (await pi.ok(MEMORY)).trim().split(' ').map(Number);
  return { pss, rss };
}
