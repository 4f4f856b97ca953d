import { FleetRepo } from '../virtual-pi/fleet-repo.ts';
import { NETWORK } from '../virtual-pi/places.ts';
import { bench } from './support/bench.ts';
import { benchPi } from './support/stage.ts';
import { settleFirst, walkByAgent, walkByCompose, type Walk, type Walkers } from './walk/walks.ts';

const ROUNDS = 5;

/**
 * From a push to a healthy service by the agent, in turn with `docker compose up -d --wait` alone for the same change
 * of the same stack on the same Pi, and what both cost in downtime.
 */
await bench(async (figures, progress) => {
  progress('A Pi and a fleet repo');
  const repo = await FleetRepo.create(NETWORK.gateway);
  const device = await benchPi('walk');
  try {
    progress('The first release, and the same stack beside it');
    const walkers: Walkers = await settleFirst(device, repo);
    const agent: Walk[] = [];
    const compose: Walk[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      agent.push(await walkByAgent(walkers, `word-${round}`));
      progress(`agent   ${say(agent.at(-1))}`);
      compose.push(await walkByCompose(walkers, `word-${round}`));
      progress(`compose ${say(compose.at(-1))}`);
    }
    walkers.stop();
    const series = (of: keyof Walk, peer: string): { ours: number[]; peer: string; theirs: number[] } => ({
      ours: agent.map((walk) => walk[of]),
      peer,
      theirs: compose.map((walk) => walk[of]),
    });
    figures.beside('push_to_new_answer_ms', 'ms', series('answers', 'docker compose up -d --wait'));
    figures.beside('push_to_healthy_ms', 'ms', series('healthy', 'docker compose up -d --wait'));
    figures.beside('push_to_settled_ms', 'ms', series('done', 'docker compose up -d --wait, returned'));
    figures.beside('changed_downtime_ms', 'ms', series('changedDown', 'docker compose up -d --wait'));
    figures.beside('unchanged_downtime_ms', 'ms', series('steadyDown', 'docker compose up -d --wait'));
    figures.beside('unchanged_restarts', 'restarts', series('steadyRestarts', 'docker compose up -d --wait'));
  } finally {
    await device.pi.destroy();
    await repo.close();
  }
});

function say(walk: Walk | undefined): string {
  return Object.entries(walk ?? {})
    .map(([name, value]) => `${name} ${Math.round(Number(value))}`)
    .join(', ');
}
