import type { Problem } from '@metrica-fleet/protocol';
import type { Deployment } from '../decide/journal.ts';
import type { Effect, Event } from '../decide/vocabulary.ts';
import { freeSpace, mebibytes } from '../sources/space.ts';
import type { Context } from './context.ts';
import { claimImages, settleClaims } from './images/own-images.ts';
import { requireRoom } from './images/room.ts';
import { readPullFile, type PullRequest, type PullResult } from './pull-files.ts';

const UNIT = 'role-agent-pull.service';
/** Starts of the pull unit that end without a word before that is taken for an answer. */
const MAX_STARTS = 5;
const DEADLINE = 15_000;

/**
 * Sees that a deployment's images are here. Pulling takes as long as it takes, so that a unit of its own does it; a run
 * that finds it at work ends, while the old stack keeps running.
 */
export async function pull(
  { deployment, cleared = false }: Extract<Effect, { kind: 'pull' }>,
  context: Context,
): Promise<Event> {
  const { ports, paths } = context;
  const missing = await ports.engine.missingImages(deployment.images);
  if (missing.length === 0) {
    await settleClaims(context);
    await ports.disk.remove('pull.forget-request', paths.run.pullRequest);
    await ports.disk.remove('pull.forget-result', paths.run.pullResult);
    return { type: 'pulled' };
  }
  const result = await readPullFile<PullResult>(ports.disk, paths.run.pullResult);
  await ports.disk.remove('pull.take-result', paths.run.pullResult);
  if (result !== null && result.key === deployment.key && result.problem !== null) {
    await ports.disk.remove('pull.forget-request', paths.run.pullRequest);
    return { type: 'failed', problem: await withNumbers(context, result.problem) };
  }
  await requireRoom(context, missing, cleared);
  // On the card before the pull begins: whatever becomes of it, these are images that nobody else will remove.
  await claimImages(context, missing);
  return ask(context, deployment, missing);
}

/** An engine that ran out of space says nothing of how much there is. */
async function withNumbers({ ports, paths }: Context, problem: Problem): Promise<Problem> {
  if (problem.code !== 'no-space') return problem;
  const { bytes } = await freeSpace(ports.disk, paths);
  return { ...problem, what: `${problem.what} (the disk has ${mebibytes(bytes)} free without it)` };
}

async function ask(
  { ports, paths }: Context,
  { key }: Deployment,
  images: readonly string[],
): Promise<Event> {
  const request = await readPullFile<PullRequest>(ports.disk, paths.run.pullRequest);
  const same = request?.key === key;
  if (same && (await isActive(ports))) return { type: 'pulling' };
  const starts = (same ? request.starts : 0) + 1;
  if (starts > MAX_STARTS) {
    await ports.disk.remove('pull.forget-request', paths.run.pullRequest);
    return {
      type: 'failed',
      problem: {
        code: 'pull-stalled',
        what: `${UNIT} ended ${MAX_STARTS} times without an answer`,
        where: UNIT,
        remedy: `Look at \`journalctl -u ${UNIT}\`.`,
      },
    };
  }
  const wanted: PullRequest = { key, images, starts };
  await ports.disk.write('pull.request', paths.run.pullRequest, { content: JSON.stringify(wanted) });
  // Restart: a pull for what is no longer wanted must not hold up what is.
  await systemctl(ports, ['restart', '--no-block', UNIT]);
  return { type: 'pulling' };
}

/** A oneshot unit at work is «activating». */
async function isActive(ports: Context['ports']): Promise<boolean> {
  const state = await systemctl(ports, ['show', '--property=ActiveState', '--value', UNIT]);
  return ['active', 'activating', 'reloading', 'deactivating'].includes(state);
}

async function systemctl({ exec, log }: Context['ports'], args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await exec.run({
    label: 'pull.systemctl',
    argv: ['systemctl', ...args],
    deadline: DEADLINE,
  });
  if (code !== 0) log.warning(`systemctl ${args.join(' ')} failed`, { stderr: stderr.trim() });
  return stdout.toString('utf8').trim();
}
