import { join } from 'node:path';
import { accountFor, canReach } from './account.ts';
import { ensureCluster } from './cluster.ts';
import { fileTrouble, openFolder } from './folder.ts';
import { adopt, launch } from './launch.ts';
import { takeLock } from './lock.ts';
import { installPrograms, removeOtherPrograms } from './programs.ts';
import { WORKING_DIRECTORY, type Server } from './server.ts';
import { DATABASE, urlOf } from './settings.ts';
import { socketFolder } from './socket-folder.ts';
import { Supervisor } from './supervise.ts';
import type { DatabaseLog } from '../log.ts';

/** Where the programs go when their user cannot reach the data folder. Of root, and readable by all. */
const SHARED_PROGRAMS = '/var/cache/metrica-fleet';

export interface EmbeddedOptions {
  /**
   * Of this database: the cluster, the server's log, a copy of the programs. Made if it is missing. One overlord at a
   * time can use it.
   */
  readonly folder: string;
  readonly log: DatabaseLog;
}

/** PostgreSQL of our own, kept running for as long as we do. */
export interface Embedded {
  /** For clients on this machine. The same for as long as this object lives, also when the server is restarted. */
  readonly url: string;
  /** Of the postmaster; another one after a restart. */
  readonly pid: () => number;
  /** Ends the server in order, and frees the data folder. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL that npm brought, made on first use, and keeps it running: it is restarted when it ends, and
 * taken over from an overlord that was killed. It listens on a socket only that the user it runs as, and root, can get
 * to. As root it runs as an unprivileged user (see `accountFor`). Throws DatabaseError.
 */
export async function startEmbedded({ folder, log }: EmbeddedOptions): Promise<Embedded> {
  const home = await openFolder(folder);
  const lock = await takeLock(lockOf(home));
  try {
    const server = await prepare(home, log);
    const running = (await adopt(server, log)) ?? (await launch(server, log));
    if (server.programs.place === home) await removeOtherPrograms(server.programs);
    const supervisor = new Supervisor({ server, running, lock, log });
    log.info({ folder: home, pid: supervisor.pid }, 'PostgreSQL runs');
    return {
      url: urlOf(server.socketFolder, DATABASE),
      pid: () => supervisor.pid,
      stop: () => supervisor.stop(),
    };
  } catch (error) {
    await lock.release();
    throw fileTrouble(error, home);
  }
}

/** Everything up to the start itself. */
async function prepare(home: string, log: DatabaseLog): Promise<Server> {
  const cluster = join(home, 'cluster');
  const account = await accountFor(cluster);
  if (account !== null) log.debug({ account: account.name }, 'PostgreSQL does not run as root');
  const reachable = await canReach(account, home);
  const programs = await installPrograms(reachable ? home : SHARED_PROGRAMS);
  await ensureCluster({ cluster, programs, account }, log);
  return {
    cluster,
    programs,
    account,
    clusterPath: reachable ? cluster : WORKING_DIRECTORY,
    socketFolder: await socketFolder(home, account),
    logFile: join(home, 'postgres.log'),
    lockFile: lockOf(home),
  };
}

function lockOf(home: string): string {
  return join(home, 'lock');
}
