import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetRepo } from '../../virtual-pi/fleet-repo.ts';
import type { Device } from '../../virtual-pi/scenarios/device.ts';
import { Health } from '../support/health.ts';
import { Poller } from '../support/poller.ts';
import { compose, role, type Ports } from '../support/stack.ts';

/** `plain` is the peer's, and names its project by its folder. */
const PORTS: Readonly<Record<'agent' | 'plain', Ports>> = {
  agent: { page: 8080, steady: 8081 },
  plain: { page: 9080, steady: 9081 },
};

/** One change, in milliseconds since it was asked for. */
export interface Walk {
  /** When that was. Milliseconds of the clock. */
  readonly start: number;
  /** The new content is served. */
  readonly answers: number;
  /** The engine calls the new container healthy. */
  readonly healthy: number;
  /** The agent has settled (probation passed); `docker compose up --wait` has returned. */
  readonly done: number;
  readonly changedDown: number;
  readonly steadyDown: number;
  /** Whether the container that did not change became another one, or started again: 0 or 1. */
  readonly steadyRestarts: number;
}

/** How releases get to the agent. */
export interface Source {
  /** Brings the first release. */
  begin(): Promise<void>;
  /** Resolves when the next push may come. */
  ready(): Promise<void>;
  /** Tells of a push what is to hear of it: the device itself, or its overlord. */
  announce(): Promise<void>;
}

/** The device follows the repo, and is woken by hand. */
export function gitSource(device: Device, repo: FleetRepo): Source {
  return {
    async begin() {
      await device.follows(repo.url, 'pages');
      await device.wake();
    },
    ready: () => Promise.resolve(),
    announce: () => device.wake(),
  };
}

export interface Walkers {
  readonly device: Device;
  readonly repo: FleetRepo;
  readonly source: Source;
  readonly poller: Poller;
  readonly health: Health;
  readonly stop: () => void;
}

/** Brings both stacks up for the first time, and follows them from then on. */
export async function settleFirst({
  device,
  repo,
  source,
}: Pick<Walkers, 'device' | 'repo' | 'source'>): Promise<Walkers> {
  const commit = await repo.push('First', role({ ports: PORTS.agent, word: 'word-0', checked: true }));
  await source.begin();
  await device.settlesOn(commit);
  await device.pi.write('/root/plain/compose.yaml', plainText('word-0'));
  await device.pi.ok(UP, { deadline: 60_000 });
  const ports = Object.values(PORTS).flatMap(({ page, steady }) => [page, steady]);
  const poller = new Poller(device.pi, ports);
  const health = new Health(device.pi);
  await sleep(2_000);
  const stop = (): void => {
    poller.stop();
    health.stop();
  };
  return { device, repo, source, poller, health, stop };
}

const UP = 'cd /root/plain && docker compose up -d --wait';

function plainText(word: string): string {
  return compose({ ports: PORTS.plain, word, checked: true });
}

/** The change is pushed; the clock starts when the push has returned, with the news of it. */
export async function walkByAgent(walkers: Walkers, word: string): Promise<Walk> {
  const { device, repo, source } = walkers;
  await source.ready();
  const commit = await repo.push(word, role({ ports: PORTS.agent, word, checked: true }));
  return walk(walkers, { which: 'agent', word }, async () => {
    await source.announce();
    await device.settlesOn(commit);
    return settledAt(device, commit);
  });
}

/** The change is in the file; the clock starts with the command. */
export async function walkByCompose(walkers: Walkers, word: string): Promise<Walk> {
  const { pi } = walkers.device;
  await pi.write('/root/plain/compose.yaml', plainText(word));
  return walk(walkers, { which: 'plain', word }, async () => {
    await pi.ok(UP, { deadline: 60_000 });
    return Date.now();
  });
}

/** @param change brings it about, and returns when it was done with. */
async function walk(
  { device, poller, health }: Walkers,
  { which, word }: { readonly which: 'agent' | 'plain'; readonly word: string },
  change: () => Promise<number>,
): Promise<Walk> {
  const { page, steady } = PORTS[which];
  const before = await identity(device, steady);
  const start = Date.now();
  const done = await change();
  // What came last may still be on its way from the Pi.
  await sleep(1_000);
  const answers = poller.answered(page, word, start);
  const healthy = health.became('page', which, start);
  if (answers === null || healthy === null) throw new Error(`${which}: nobody saw ${word} come`);
  return {
    start,
    answers: answers - start,
    healthy: healthy - start,
    done: done - start,
    changedDown: poller.downtime(page, start),
    steadyDown: poller.downtime(steady, start),
    steadyRestarts: (await identity(device, steady)) === before ? 0 : 1,
  };
}

/** Which container serves a port, and since when. */
async function identity({ pi }: Device, port: number): Promise<string> {
  const ids = `$(docker ps -q --filter publish=${port})`;
  return pi.ok(`docker inspect -f '{{.Id}} {{.State.StartedAt}}' ${ids}`);
}

/** When the agent wrote down that a commit had passed its probation. */
async function settledAt(device: Device, commit: string): Promise<number> {
  const history: readonly { event: string; commit?: string; at?: string }[] = await device.history();
  const entry = history.find((one) => one.event === 'updated' && one.commit === commit);
  if (entry?.at === undefined) throw new Error(`The history does not say when ${commit} was settled`);
  return Date.parse(entry.at);
}
