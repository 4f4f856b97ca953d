import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { placeBinaries } from './binaries.ts';
import { holdFolder, type Hold } from './hold.ts';
import { ownerOf, requireReachable } from './owner.ts';
import {
  bringDown,
  bringUp,
  initialise,
  isAlive,
  newPassword,
  type Place,
  type Postmaster,
} from './postmaster.ts';

export interface EmbeddedOptions {
  /** Everything lies in here: `<data>/postgres`. */
  readonly folder: string;
  /** Where the binaries are kept; default: in the folder. */
  readonly binaries?: string;
  readonly log: Logger;
}

/** PostgreSQL of our own, kept running for as long as we do. */
export interface Embedded {
  readonly url: string;
  readonly pid: () => number;
  stop(): Promise<void>;
}

const POLL = 250;
const BACKOFF = { first: 100, most: 5_000 } as const;

/**
 * Starts the embedded PostgreSQL, or takes over the one that a killed overlord left running, and brings it back
 * whenever it dies. Throws, in sentences for people, when another overlord uses the folder, when the data directory
 * was made by another major version, and when the disk or the rights say no.
 */
export async function startEmbedded({ folder, binaries, log }: EmbeddedOptions): Promise<Embedded> {
  const place = await prepare(folder, binaries ?? join(folder, 'bin'));
  let postmaster = await bringUp(place);
  log.info({ pid: postmaster.pid, adopted: postmaster.adopted }, 'PostgreSQL is running');
  let hold: Hold = await holdFolder(postmaster.url, folder);
  const stopping = new AbortController();

  const watch = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(POLL);
      if (stopping.signal.aborted || (await isAlive(postmaster.pid))) continue;
      log.error({ pid: postmaster.pid }, 'PostgreSQL died; starting it again');
      await hold.release();
      [postmaster, hold] = await again(place, { folder, log, given: () => stopping.signal.aborted });
      log.info({ pid: postmaster.pid }, 'PostgreSQL is running again');
    }
  })();

  return {
    url: postmaster.url,
    pid: () => postmaster.pid,
    async stop() {
      stopping.abort();
      await watch.catch(() => undefined);
      await hold.release();
      await bringDown(postmaster);
    },
  };
}

interface Again {
  readonly folder: string;
  readonly log: Logger;
  /** True when nobody wants it any more. */
  readonly given: () => boolean;
}

/** Tries until it is up: children of a killed postmaster hold its memory for a moment, a disk may be full for longer. */
async function again(place: Place, { folder, log, given }: Again): Promise<[Postmaster, Hold]> {
  for (let wait: number = BACKOFF.first; ; wait = Math.min(wait * 2, BACKOFF.most)) {
    try {
      const postmaster = await bringUp(place);
      return [postmaster, await holdFolder(postmaster.url, folder)];
    } catch (thrown) {
      if (given()) throw thrown;
      log.error({ err: thrown }, 'PostgreSQL does not come back yet');
      await sleep(wait);
    }
  }
}

async function prepare(folder: string, binariesFolder: string): Promise<Place> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const real = await realpath(folder);
  const pgdata = join(real, 'data');
  const owner = await ownerOf(pgdata);
  await requireReachable(pgdata, owner);
  const binaries = await placeBinaries(binariesFolder);
  const found = (await readFile(join(pgdata, 'PG_VERSION'), 'utf8').catch(() => null))?.trim();
  const password = await passwordOf(real);
  const place: Place = { folder: real, pgdata, password, binaries, owner };
  if (found === undefined) await initialise(place);
  else if (found !== binaries.major) {
    throw new Error(
      `The database in ${pgdata} was made by PostgreSQL ${found}, this version brings ${binaries.major}. ` +
        'Restore a backup into a new data folder.',
    );
  }
  return place;
}

async function passwordOf(folder: string): Promise<string> {
  const path = join(folder, 'password');
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) return kept;
  const made = newPassword();
  await writeFile(path, made, { mode: 0o600, flag: 'wx', flush: true });
  return made;
}
