import { problemOf, type Problem } from '@metrica-fleet/protocol';
import { basename, join } from 'node:path/posix';
import type { Effect, Event } from '../decide/vocabulary.ts';
import { freeSpace, isCramped, mebibytes } from '../sources/space.ts';
import type { Context } from './context.ts';
import { collectImages } from './images/collect-images.ts';
import { planStack, requestOf } from './stack/prepare.ts';

type Collect = Extract<Effect, { kind: 'collect' }>;

/**
 * Removes releases, mounts and images that nothing needs: not a deployment that is kept, not a symlink, not a container.
 * What half-finished work left behind goes with them. A part that fails holds up no other, and no release: it is logged,
 * and the next collection tries again.
 */
export async function collect({ keep }: Collect, context: Context): Promise<Event> {
  const { ports, paths } = context;
  const before = await freeSpace(ports.disk, paths);
  const problems: Problem[] = [];
  const attempt = async <T>(part: Promise<T>): Promise<T | null> => {
    try {
      return await part;
    } catch (thrown) {
      const problem = problemOf(thrown);
      ports.log.warning('Not everything that nobody needs could be removed', { problem });
      problems.push(problem);
      return null;
    }
  };
  await attempt(collectReleases(keep, context));
  await attempt(collectMounts(keep, context));
  const images = await attempt(collectImages(context, keep));
  if (images !== null && images.problem !== null) problems.push(images.problem);
  const after = await freeSpace(ports.disk, paths);
  if (isCramped(after)) problems.push(full(paths.releases, after));
  return {
    type: 'collected',
    images: images?.images ?? [],
    bytes: Math.max(0, after.bytes - before.bytes),
    problem: problems[0] ?? null,
  };
}

function full(where: string, { bytes, inodes }: { bytes: number; inodes: number }): Problem {
  return {
    code: 'no-space',
    what: `The disk is nearly full: ${mebibytes(bytes)} and ${inodes} inodes are free, and nothing is left to remove`,
    where,
    remedy: 'Free space: `docker system df`, `journalctl --disk-usage`, `du -xh / | sort -h | tail`.',
  };
}

async function collectReleases(keep: Collect['keep'], { ports, paths }: Context): Promise<void> {
  const links = await Promise.all(
    [paths.current, paths.previous, paths.next].map((link) => ports.disk.readLink(link)),
  );
  const needed = new Set([
    ...keep.map(({ release }) => release.digest),
    ...links.flatMap((target) => (target === null ? [] : [basename(target)])),
  ]);
  for (const name of (await ports.disk.list(paths.releases)) ?? []) {
    if (needed.has(name)) continue;
    ports.log.debug('Removing a release', { name });
    await ports.disk.remove('collect.release', join(paths.releases, name));
  }
}

/** The mounts of a kept deployment stay even where no container has them: the way back must not need free space. */
async function collectMounts(keep: Collect['keep'], context: Context): Promise<void> {
  const { ports, paths } = context;
  const needed = new Set<string>();
  for (const project of await ports.engine.projects()) {
    for (const { mounts } of await ports.engine.containers(project)) {
      for (const mount of mounts) {
        if (mount.startsWith(`${paths.mounts}/`))
          needed.add(mount.slice(paths.mounts.length + 1).split('/')[0] ?? '');
      }
    }
  }
  for (const deployment of keep) {
    const { copies } = await planStack(context, await requestOf(context, deployment));
    for (const { digest } of copies) needed.add(digest);
  }
  for (const name of (await ports.disk.list(paths.mounts)) ?? []) {
    if (needed.has(name)) continue;
    ports.log.debug('Removing a mount', { name });
    await ports.disk.remove('collect.mount', join(paths.mounts, name));
  }
}
