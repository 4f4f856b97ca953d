import { dirname, join } from 'node:path';
import type { GitConfig } from '../../config.ts';
import type { Exec, Finished } from '../../ports/exec.ts';
import type { Label } from '../../ports/ports.ts';
import { GitFailure, gitProblem } from './problems.ts';

export interface GitCommand {
  readonly label: Label;
  readonly args: readonly string[];
  readonly input?: string;
  /** Bytes of output that are kept. Default 4 MiB. */
  readonly maxOutput?: number;
  /** Milliseconds. Default 60 s, enough for anything local or for one request. */
  readonly deadline?: number;
  /** Size in bytes past which no file may grow: the kernel stops git there (`prlimit --fsize`). Default 64 MiB. */
  readonly fileLimit?: number;
  /** A file that takes standard output, for what is too large for memory. Its folder exists. */
  readonly outputTo?: string;
  /** Whether the command talks to the server, and may fail for its reasons. `without-cache`: it needs no repository. */
  readonly online?: boolean | 'without-cache';
  /** Exit codes beside 0 that are an answer. */
  readonly accept?: readonly number[];
}

/** Runs `git` for one remote and one cache. Nothing of the machine's Git configuration counts, nothing is ever asked. */
export interface Git {
  /** Throws a FleetError that says what git could not do, with the remote's name. */
  run(command: GitCommand): Promise<Finished>;
}

export interface GitPlace {
  readonly exec: Exec;
  readonly remote: GitConfig;
  /** The cache repository. */
  readonly cache: string;
}

const MEBIBYTE = 1024 * 1024;

/**
 * Memory stays small (large blobs are streamed, one thread), every fetch is one pack (no thousands of loose objects
 * on a card), and a connection that stalls for a minute ends.
 */
const SETTINGS = [
  'core.bigFileThreshold=4m',
  'core.fsync=committed',
  'core.hooksPath=/dev/null',
  'core.packedGitLimit=32m',
  'core.packedGitWindowSize=4m',
  'fetch.unpackLimit=1',
  'fetch.fsckObjects=false',
  'gc.auto=0',
  'http.lowSpeedLimit=100',
  'http.lowSpeedTime=60',
  'maintenance.auto=false',
  'pack.threads=1',
  'pack.windowMemory=16m',
].flatMap((setting) => ['-c', setting]);

export function gitFor({ exec, remote, cache }: GitPlace): Git {
  const helper =
    remote.credentials === null
      ? []
      : ['-c', `credential.helper=store --file=${shellQuoted(remote.credentials)}`];
  return {
    async run({ label, args, fileLimit = 64 * MEBIBYTE, accept = [], outputTo, online = false, ...rest }) {
      const finished = await exec.run({
        label,
        argv: [
          ...redirect(outputTo),
          'prlimit',
          `--fsize=${fileLimit}`,
          'git',
          ...SETTINGS,
          ...helper,
          ...args,
        ],
        deadline: rest.deadline ?? 60_000,
        maxOutput: rest.maxOutput ?? 4 * MEBIBYTE,
        env: { ...environment(remote, cache), GIT_DIR: online === 'without-cache' ? '/dev/null' : cache },
        cwd: '/',
        ...(rest.input === undefined ? {} : { input: rest.input }),
      });
      if (finished.code === 0 || accept.includes(finished.code)) return finished;
      throw new GitFailure(gitProblem({ finished, remote, fileLimit }), online !== false);
    },
  };
}

/**
 * With the signal ignored, a write past the limit fails with «File too large», which git reports; killed by the
 * signal, its child says nothing, and git blames the server (tried with git 2.39).
 */
const SAY_TOO_LARGE = ['env', '--ignore-signal=XFSZ'] as const;

/** The path is an argument of the shell, not part of its script. */
function redirect(file: string | undefined): [string, ...string[]] {
  if (file === undefined) return [...SAY_TOO_LARGE];
  return ['sh', '-c', 'out=$1; shift; exec "$@" >"$out"', 'sh', file, ...SAY_TOO_LARGE];
}

function environment(remote: GitConfig, cache: string): Record<string, string> {
  return {
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    // Also keeps a server's redirect or a submodule from reaching `ext::`, which runs commands.
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_SSH_COMMAND: sshCommand(remote, cache),
    GIT_SSH_VARIANT: 'ssh',
    LC_ALL: 'C.UTF-8',
  };
}

/**
 * Without pinned host keys the first key that is seen is kept beside the cache, and another one is refused from then
 * on, even when the cache itself is made anew.
 */
function sshCommand({ sshKey, knownHosts }: GitConfig, cache: string): string {
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=20',
    'ServerAliveInterval=20',
    'ServerAliveCountMax=3',
    `StrictHostKeyChecking=${knownHosts === null ? 'accept-new' : 'yes'}`,
    `UserKnownHostsFile=${knownHosts ?? join(dirname(cache), 'known_hosts')}`,
    ...(sshKey === null ? [] : ['IdentitiesOnly=yes', `IdentityFile=${sshKey}`]),
  ];
  return ['ssh', ...options.flatMap((option) => ['-o', shellQuoted(option)])].join(' ');
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
