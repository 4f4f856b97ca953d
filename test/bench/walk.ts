import { FleetRepo } from '../virtual-pi/fleet-repo.ts';
import { NETWORK } from '../virtual-pi/places.ts';
import type { Device } from '../virtual-pi/scenarios/device.ts';
import { bench, type Progress } from './support/bench.ts';
import type { Figures } from './support/figures.ts';
import { benchPi } from './support/stage.ts';
import { OverlordSource } from './walk/by-overlord.ts';
import { bytesAMonth, measureTraffic, residentMemory } from './walk/quiet.ts';
import { gitSource, settleFirst, walkByAgent, walkByCompose, type Walk, type Walkers } from './walk/walks.ts';

const ROUNDS = 5;
const PEER = 'docker compose up -d --wait';
/** Bytes that a device may cost a month when nothing changes. */
const BUDGET = 10_000_000;

/**
 * From a push to a healthy service by the agent, in turn with `docker compose up -d --wait` alone for the same change
 * of the same stack on the same Pi, and what both cost in downtime. First by Git and a wake, then through an overlord,
 * where also is measured what the device costs in bytes and memory when nothing changes.
 */
await bench(async (figures, progress) => {
  await byGit(figures, progress);
  await byOverlord(figures, progress);
});

async function byGit(figures: Figures, progress: Progress): Promise<void> {
  progress('A Pi and a fleet repo');
  const repo = await FleetRepo.create(NETWORK.gateway);
  const device = await benchPi('walk');
  try {
    const walkers = await settleFirst({ device, repo, source: gitSource(device, repo) });
    const pairs = await walkInTurn(walkers, progress);
    const beside = (name: string, of: keyof Walk, peer = PEER): void =>
      figures.beside(name, 'ms', { ...series(pairs, of), peer });
    beside('push_to_new_answer_ms', 'answers');
    beside('push_to_healthy_ms', 'healthy');
    beside('push_to_settled_ms', 'done', `${PEER}, returned`);
    beside('changed_downtime_ms', 'changedDown');
    beside('unchanged_downtime_ms', 'steadyDown');
    figures.beside('unchanged_restarts', 'restarts', { ...series(pairs, 'steadyRestarts'), peer: PEER });
  } finally {
    await device.pi.destroy();
    await repo.close();
  }
}

async function byOverlord(figures: Figures, progress: Progress): Promise<void> {
  progress('A Pi, a fleet repo and an overlord');
  const repo = await FleetRepo.create(NETWORK.gateway);
  const device = await benchPi('walk-overlord');
  const source = await OverlordSource.start(device, repo);
  try {
    const walkers = await settleFirst({ device, repo, source });
    const pairs = await walkInTurn(walkers, progress);
    const beside = (name: string, of: keyof Walk): void =>
      figures.beside(name, 'ms', { ...series(pairs, of), peer: PEER });
    beside('overlord_push_to_new_answer_ms', 'answers');
    beside('overlord_push_to_healthy_ms', 'healthy');
    beside('overlord_push_to_settled_ms', 'done');
    const fromSignal: number[] = [];
    for (const { agent } of pairs) {
      fromSignal.push(agent.start + agent.healthy - (await source.signalledAt(agent.start)));
    }
    figures.beside('signal_to_healthy_ms', 'ms', {
      ...series(pairs, 'healthy'),
      ours: fromSignal,
      peer: PEER,
    });
    progress('Nothing changes any more');
    await quiet(device, figures);
  } finally {
    await source.stop();
    await device.pi.destroy();
    await repo.close();
  }
}

async function quiet(device: Device, figures: Figures): Promise<void> {
  const { pss, rss } = await residentMemory(device);
  figures.alone('resident_pss_kb', 'kB', pss);
  figures.alone('resident_rss_kb', 'kB', rss);
  const traffic = await measureTraffic(device);
  figures.alone('checkin_bytes', 'bytes', traffic.checkIn);
  figures.alone('checkin_full_handshake_bytes', 'bytes', traffic.fullCheckIn);
  figures.alone('heartbeat_bytes', 'bytes', traffic.heartbeat);
  figures.alone('stream_renewal_bytes', 'bytes', traffic.stream);
  const month = { ours: [bytesAMonth(traffic)], peer: 'budget', theirs: [BUDGET] };
  figures.beside('device_month_bytes', 'bytes', month);
}

/** The same change by both, in one round. */
interface Pair {
  readonly agent: Walk;
  readonly compose: Walk;
}

async function walkInTurn(walkers: Walkers, progress: Progress): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const agent = await walkByAgent(walkers, `word-${round}`);
    progress(`agent   ${say(agent)}`);
    const compose = await walkByCompose(walkers, `word-${round}`);
    progress(`compose ${say(compose)}`);
    pairs.push({ agent, compose });
  }
  walkers.stop();
  return pairs;
}

function series(pairs: readonly Pair[], of: keyof Walk): { ours: number[]; theirs: number[] } {
  return { ours: pairs.map(({ agent }) => agent[of]), theirs: pairs.map(({ compose }) => compose[of]) };
}

function say(walk: Walk): string {
  return Object.entries(walk)
    .filter(([name]) => name !== 'start')
    .map(([name, value]) => `${name} ${Math.round(Number(value))}`)
    .join(', ');
}
