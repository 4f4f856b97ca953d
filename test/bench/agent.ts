import { setTimeout as sleep } from 'node:timers/promises';
import { FleetRepo } from '../virtual-pi/fleet-repo.ts';
import { NETWORK } from '../virtual-pi/places.ts';
import type { Device } from '../virtual-pi/scenarios/device.ts';
import { costOf, type Cost } from './agent/cost.ts';
import { Disk } from './agent/disk.ts';
import { gateCost } from './agent/gate.ts';
import { installPeer, playbook, pullCommand } from './agent/peer.ts';
import { bench } from './support/bench.ts';
import { median } from './support/figures.ts';
import { benchPi } from './support/stage.ts';
import { role } from './support/stack.ts';

const ROUNDS = 7;
const MINUTE = 60_000;
/** Runs forced within the minute whose writes are counted. */
const FORCED = 3;
/** A day at the default interval of 5 minutes, with a gate each minute. */
const RUNS_A_DAY = 288;
const GATES_A_DAY = 1_440;

const PEER = 'ansible-pull';
const UNITS = 'role-agent.timer role-agent.path';

/** A run as the timer starts it, when it is due. */
const RUN_OF_UNIT = 'rm -f /run/role-agent/next-due; systemctl start --wait role-agent.service';

/** What the agent costs a device with nothing to do, in turn with `ansible-pull` for the same stack on the same Pi. */
await bench(async (figures, progress) => {
  progress('A Pi with a disk of its own, and ansible-core');
  const repo = await FleetRepo.create(NETWORK.gateway);
  const disks: Disk[] = [];
  const device = await benchPi('agent', async (pi) => {
    disks.push(await Disk.putUnder(pi));
    await installPeer(pi);
  });
  const { pi } = device;
  const [disk] = disks;
  if (disk === undefined) throw new Error('The Pi has no disk');
  try {
    progress('The stack by each of them');
    const pull = pullCommand(repo.url);
    await bothSettle(device, repo, pull);

    const ours: Cost[] = [];
    const byUnit: number[] = [];
    const theirs: Cost[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      ours.push(await costOf(pi, 'role-agent run'));
      byUnit.push((await costOf(pi, RUN_OF_UNIT)).whole);
      theirs.push(await costOf(pi, pull));
      progress(`no-op run ${say(ours.at(-1))}; by systemd, the Pi ${Math.round(byUnit.at(-1) ?? 0)} ms`);
      progress(`${PEER} ${say(theirs.at(-1))}`);
    }
    const series = (of: keyof Cost): { ours: number[]; peer: string; theirs: number[] } => ({
      ours: ours.map((cost) => cost[of]),
      peer: PEER,
      theirs: theirs.map((cost) => cost[of]),
    });
    figures.beside('noop_wall_ms', 'ms', series('wall'));
    figures.beside('noop_cpu_ms', 'ms', series('cpu'));
    figures.beside('noop_peak_rss_kb', 'kB', series('rss'));
    figures.beside('noop_whole_pi_cpu_ms', 'ms', { ...series('whole'), ours: byUnit });

    progress('The gate');
    const gate = await gateCost(pi);
    figures.alone('gate_wall_ms', 'ms', gate.wall);
    figures.alone('gate_cpu_ms', 'ms', gate.cpu);
    figures.alone('gate_whole_pi_cpu_ms', 'ms', gate.whole);
    figures.beside('cpu_s_per_day', 's', {
      ours: [(median(byUnit) * RUNS_A_DAY + gate.whole * GATES_A_DAY) / 1_000],
      peer: `${PEER} every 5 min`,
      theirs: [(median(series('whole').theirs) * RUNS_A_DAY) / 1_000],
    });

    progress('What is written by three runs of each, and by a minute of neither');
    const peerWrites = await disk.writtenBy(pi, async () => {
      for (let run = 0; run < FORCED; run += 1) await pi.ok(pull, { deadline: MINUTE });
    });
    const idleWrites = await disk.writtenBy(pi, () => sleep(MINUTE));
    await pi.ok(`systemctl start ${UNITS}`);
    const ourWrites = await disk.writtenBy(pi, () => idleMinute(device));
    const writes = { ours: [ourWrites], peer: `${PEER}, ${FORCED} runs`, theirs: [peerWrites] };
    figures.beside('noop_disk_bytes', 'bytes', writes);
    figures.alone('idle_pi_disk_bytes', 'bytes', idleWrites);
  } finally {
    await pi.destroy();
    await repo.close();
  }
});

/** The agent's stack is settled, the peer's runs, and from then on nothing of the agent starts by itself. */
async function bothSettle(device: Device, repo: FleetRepo, pull: string): Promise<void> {
  const stack = { word: 'one', checked: false };
  const commit = await repo.push('First', {
    ...role({ ...stack, ports: { page: 8080, steady: 8081 } }),
    ...playbook({ ...stack, ports: { page: 9080, steady: 9081 } }),
  });
  await device.follows(repo.url, 'pages');
  await device.wake();
  await device.settlesOn(commit);
  await device.pi.ok(`systemctl stop ${UNITS}`);
  for (const _warm of ['brings the stack up', 'has nothing to do'])
    await device.pi.ok(pull, { deadline: MINUTE });
}

/** The timer runs, and three runs are forced by a wake, one each third of the minute. */
async function idleMinute(device: Device): Promise<void> {
  const end = Date.now() + MINUTE;
  for (let run = 0; run < FORCED; run += 1) {
    await device.looksAgain();
    await sleep(end - (FORCED - 1 - run) * (MINUTE / FORCED) - Date.now());
  }
}

function say(cost: Cost | undefined): string {
  if (cost === undefined) return '';
  const { wall, cpu, rss, whole } = cost;
  return `${Math.round(wall)} ms, CPU ${Math.round(cpu)} ms, ${rss} kB; the Pi ${Math.round(whole)} ms`;
}
