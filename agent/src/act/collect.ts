import { problemOf } from '@metrica-fleet/protocol';
import { basename, join } from 'node:path/posix';
import type { Effect } from '../decide/vocabulary.ts';
import type { Context } from './context.ts';
import { planStack, requestOf } from './stack/prepare.ts';

type Collect = Extract<Effect, { kind: 'collect' }>;

/**
 * Removes releases and mounts that nothing needs: not a deployment that is kept, not a symlink, not a container. What
 * half-finished work left behind goes with them: no update is under way when this runs. A failure is no failure of the
 * release that has just passed its gate: it is logged, and the next collection tries again.
 */
export async function collect({ keep }: Collect, context: Context): Promise<null> {
  try {
    await collectReleases(keep, context);
    await collectMounts(keep, context);
  } catch (thrown) {
    context.ports.log.warning('Old releases could not be removed', { problem: problemOf(thrown) });
  }
  return null;
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
