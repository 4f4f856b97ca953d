import type { Account } from './account.ts';
import type { Programs } from './programs.ts';

/** All that it takes to run the server of one data folder. */
export interface Server {
  /** PostgreSQL's own folder (PGDATA), an absolute path. */
  readonly cluster: string;
  readonly socketFolder: string;
  readonly logFile: string;
  readonly lockFile: string;
  readonly programs: Programs;
  /** Null: the user that we run as. */
  readonly account: Account | null;
  /**
   * What the programs are told as their data folder. They start with the cluster as working directory; where their user
   * cannot reach it by its path (below a home of mode 0700), the kernel's own link to that directory still leads there.
   */
  readonly clusterPath: string;
}

/** The kernel's link to the working directory of whoever looks; see proc(5). */
export const WORKING_DIRECTORY = '/proc/self/cwd';

/** How the programs are started: as the unprivileged user, with nothing of our environment. */
export function spawnOptions({ cluster, account }: Pick<Server, 'cluster' | 'account'>): {
  cwd: string;
  env: Record<string, string>;
  uid?: number;
  gid?: number;
} {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
  const base = { cwd: cluster, env };
  return account === null ? base : { ...base, uid: account.uid, gid: account.gid };
}
