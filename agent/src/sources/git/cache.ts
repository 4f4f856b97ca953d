import { FleetError } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import type { GitConfig } from '../../config.ts';
import type { Disk } from '../../ports/disk.ts';
import { SPACE_MARGIN } from '../space.ts';
import type { Git } from './command.ts';
import { GitFailure } from './problems.ts';

/** Where the head of the followed ref is kept in the cache. */
export const HEAD_REF = 'refs/fleet/head';

/** What a fetch may write. Bytes. A server without partial clone sends every role of the newest commit. */
const FETCH_LIMIT = 320 * 1024 * 1024;
/** A fetch over a slow link takes its time; a stalled one is ended by git's own low-speed limit. Milliseconds. */
const FETCH_DEADLINE = 20 * 60_000;
/** A cache of so many packs or bytes is started over before the next fetch, instead of repacking it on a card. */
const CACHE_LIMIT = { packs: 40, bytes: 400 * 1024 * 1024 } as const;

/**
 * The bare repository that the Git source fetches into. It is a cache and nothing else: one that is damaged, grown
 * or of another remote is deleted and made anew. The caller holds the agent's lock, so that whatever a killed git
 * left behind is nobody's.
 */
export interface Cache {
  /** Fetches a commit (or tag), depth 1, without file contents where the server can do that, and keeps it as `ref`. */
  fetchCommit(id: string, ref: string): Promise<void>;
  /** Fetches file contents. `limit` in bytes is what they may take at most. */
  fetchBlobs(ids: readonly string[], limit: number): Promise<void>;
  /** Does something with the cache; if it turns out to be damaged, once more with a new one. */
  healing<T>(work: () => Promise<T>): Promise<T>;
}

export interface CachePlace {
  readonly disk: Disk;
  readonly git: Git;
  readonly remote: GitConfig;
  readonly folder: string;
  /** What the fetch of a commit may write. Bytes; default 320 MiB. */
  readonly limit?: number;
}

export function cacheAt(place: CachePlace): Cache {
  return {
    async fetchCommit(id, ref) {
      await open(place, id);
      await fetch(place, ['--depth=1', 'origin', `+${id}:${ref}`], place.limit ?? FETCH_LIMIT);
    },
    async fetchBlobs(ids, limit) {
      await open(place, ids[0] ?? '');
      // As Git's own promisor-remote.c does it: without negotiation, since we have the commit but not its blobs.
      await fetch(place, ['--stdin', 'origin'], limit, ids);
    },
    healing: (work) => healing(place, work),
  };
}

// eslint-disable-next-line max-params -- place, what, how much; the ids are standard input
async function fetch(
  { disk, git, folder }: CachePlace,
  what: readonly string[],
  limit: number,
  ids: readonly string[] = [],
): Promise<void> {
  const free = (await disk.space(folder)).bytes - SPACE_MARGIN.bytes;
  if (free < limit / 64) throw noSpace(folder);
  const fileLimit = Math.min(limit, free);
  try {
    await git.run({
      label: 'git.fetch',
      online: true,
      args: [
        ...(ids.length > 0 ? ['-c', 'fetch.negotiationAlgorithm=noop'] : []),
        'fetch',
        '--quiet',
        '--filter=blob:none',
        '--no-tags',
        '--no-recurse-submodules',
        '--no-write-fetch-head',
        ...what,
      ],
      fileLimit,
      deadline: FETCH_DEADLINE,
      ...(ids.length > 0 ? { input: ids.map((id) => `${id}\n`).join('') } : {}),
    });
  } catch (thrown) {
    const tooLarge = thrown instanceof FleetError && thrown.problem.code === 'bundle-too-large';
    throw tooLarge && fileLimit < limit ? noSpace(folder) : thrown;
  } finally {
    await removeLeftovers(disk, folder);
  }
}

/** Makes the cache ready: ours, of this remote, of this kind of object id, without leftovers, not too large. */
async function open({ disk, remote, folder }: CachePlace, id: string): Promise<void> {
  const config = configText(remote, id);
  const found = await disk.readText(join(folder, 'config'));
  const whole = (await disk.stat(join(folder, 'HEAD'))) !== null;
  if (found === config && whole && !(await hasGrown(disk, folder))) return removeLeftovers(disk, folder);
  await disk.remove('git.cache.clear', folder);
  await disk.makeFolder('git.cache.objects', join(folder, 'objects', 'pack'), 0o700);
  await disk.makeFolder('git.cache.refs', join(folder, 'refs'), 0o700);
  await disk.write('git.cache.config', join(folder, 'config'), { content: config, mode: 0o600 });
  // Last: without HEAD it is no repository, so a crash before here means that it is made again.
  await disk.write('git.cache.head', join(folder, 'HEAD'), { content: 'ref: refs/heads/none\n' });
}

/** `promisor` is what lets objects be absent (gitrepository-layout(5), partial clone). */
function configText({ url }: GitConfig, id: string): string {
  const quoted = `"${url.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return [
    '[core]\n\trepositoryformatversion = 1\n\tbare = true\n\tlogAllRefUpdates = false\n',
    `[extensions]\n\tpartialClone = origin\n${id.length === 64 ? '\tobjectFormat = sha256\n' : ''}`,
    `[remote "origin"]\n\turl = ${quoted}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n`,
  ].join('');
}

async function hasGrown(disk: Disk, folder: string): Promise<boolean> {
  const packs = join(folder, 'objects', 'pack');
  const names = ((await disk.list(packs)) ?? []).filter((name) => name.endsWith('.pack'));
  const stats = await Promise.all(names.map((name) => disk.stat(join(packs, name))));
  const bytes = stats.reduce((sum, stat) => sum + (stat?.size ?? 0), 0);
  return names.length > CACHE_LIMIT.packs || bytes > CACHE_LIMIT.bytes;
}

/** Locks and half-written packs of a git that was killed: they block the next one, or fill the card. */
async function removeLeftovers(disk: Disk, folder: string): Promise<void> {
  for (const inside of ['.', 'objects/pack', 'refs/fleet', 'objects']) {
    const place = join(folder, inside);
    for (const name of (await disk.list(place)) ?? []) {
      if (name.endsWith('.lock') || name.startsWith('tmp_'))
        await disk.remove('git.cache.leftover', join(place, name));
    }
  }
}

async function healing<T>(place: CachePlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(await isDamage(place, thrown))) throw thrown;
    await place.disk.remove('git.cache.damaged', place.folder);
    return await work();
  }
}

/** Git says «the remote end hung up» for a damaged pack of ours too, so after a failed fetch the cache is examined. */
async function isDamage({ git }: CachePlace, thrown: unknown): Promise<boolean> {
  if (!(thrown instanceof GitFailure) || thrown.problem.code !== 'source-unreachable') return false;
  if (!thrown.online) return true;
  try {
    await git.run({
      label: 'git.fsck',
      args: ['fsck', '--connectivity-only', '--no-dangling', '--no-progress'],
    });
    return false;
  } catch (found) {
    return found instanceof GitFailure;
  }
}

function noSpace(folder: string): FleetError {
  return new FleetError({
    code: 'no-space',
    what: 'There is not enough space to fetch the release',
    where: folder,
    remedy: 'Free space: `docker system df`, `journalctl --disk-usage`, `du -xh / | sort -h | tail`.',
  });
}
