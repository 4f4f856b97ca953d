import { blameOf, FleetError, problemOf, type Problem } from '@metrica-fleet/protocol';
import type { Paths } from '../paths.ts';
import type { ImagePuller, PullProgress } from '../ports/image-puller.ts';
import type { Ports } from '../ports/ports.ts';
import { readPullFile, type PullRequest, type PullResult, type PullState } from './pull-files.ts';

/** Seconds without a byte after which a pull is cancelled and begun anew. There is no total limit: LTE is slow. */
const STALL = 120;
const TRIES = 5;
/** First wait between tries, in milliseconds; doubled each time. */
const FIRST_WAIT = 5_000;
/** Milliseconds between looks at the clock. */
const LOOK = 1_000;

export interface PullTools {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'log'>;
  readonly puller: ImagePuller;
  readonly paths: Paths;
}

/**
 * What `role-agent-pull.service` runs: pulls the images of the request one after the other (side by side they share a
 * thin line and none gets through, moby #48539), and wakes a run when it is done. It outlives the run that asked.
 */
export async function runPullWorker(tools: PullTools): Promise<void> {
  const { ports, paths } = tools;
  const request = await readPullFile<PullRequest>(ports.disk, paths.run.pullRequest);
  if (request === null) return ports.log.warning('There is no request to pull images');
  const problem = await pullAll(tools, request);
  const result: PullResult = { key: request.key, problem };
  if (problem !== null) ports.log.warning('Images could not be pulled', { problem });
  await ports.disk.replace('pull.result', paths.run.pullResult, JSON.stringify(result));
  await ports.disk.remove('pull.progress-end', paths.run.pullProgress);
  await ports.disk.write('pull.wake', paths.run.wake, { content: '' });
}

/** Null when all are here. */
async function pullAll(tools: PullTools, request: PullRequest): Promise<Problem | null> {
  for (const [done, image] of request.images.entries()) {
    const problem = await pullWithRetries(tools, {
      key: request.key,
      image,
      done,
      of: request.images.length,
    });
    if (problem !== null) return problem;
    tools.ports.log.notice('Pulled an image', { image });
  }
  return null;
}

type Task = Pick<PullState, 'key' | 'image' | 'done' | 'of'>;

async function pullWithRetries(tools: PullTools, task: Task): Promise<Problem | null> {
  const { clock, log } = tools.ports;
  for (let attempt = 1; ; attempt += 1) {
    const problem = await pullOnce(tools, task);
    if (problem === null) return null;
    const hopeless = blameOf(problem) !== 'environment' || problem.code === 'no-space';
    if (hopeless || attempt === TRIES) return problem;
    log.notice('A pull is tried again', { image: task.image, attempt, problem });
    await clock.sleep(FIRST_WAIT * 2 ** (attempt - 1));
  }
}

/** One try, under the stall watch. */
async function pullOnce(tools: PullTools, task: Task): Promise<Problem | null> {
  const { clock, log } = tools.ports;
  const abort = new AbortController();
  let last: PullProgress = { bytes: 0, layersDone: 0, layers: 0 };
  let at = clock.now().uptime;
  const onProgress = (progress: PullProgress): void => {
    last = progress;
    at = clock.now().uptime;
  };
  const pull = { ended: false };
  const pulling = tools.puller
    .pull(task.image, { onProgress, signal: abort.signal })
    .then(
      () => null,
      (thrown: unknown) => (abort.signal.aborted ? stalled(task.image) : asProblem(thrown)),
    )
    .finally(() => {
      pull.ended = true;
    });
  const watch = async (): Promise<void> => {
    while (!pull.ended) {
      await report(tools, { ...task, ...last, at });
      if (clock.now().uptime - at >= STALL) {
        log.warning('A pull has stalled', { image: task.image, bytes: last.bytes });
        return abort.abort();
      }
      await Promise.race([pulling, clock.sleep(LOOK)]);
    }
  };
  await watch();
  return pulling;
}

async function report({ ports, paths }: PullTools, state: PullState): Promise<void> {
  await ports.disk.write('pull.progress', paths.run.pullProgress, { content: JSON.stringify(state) });
}

/** What is thrown that is no FleetError comes from a connection that broke in the middle. */
function asProblem(thrown: unknown): Problem {
  if (thrown instanceof FleetError) return thrown.problem;
  const { what } = problemOf(thrown);
  return { code: 'image-unreachable', what: `The pull broke off: ${what}` };
}

function stalled(image: string): Problem {
  return {
    code: 'pull-stalled',
    what: `The pull of ${image} stood still for ${STALL} s`,
    where: image,
    remedy: 'Look at the network and at the registry; it is tried again by itself.',
  };
}
