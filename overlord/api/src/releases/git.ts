import { FleetError } from '@metrica-fleet/protocol';
import { execa } from 'execa';

export interface GitRun {
  readonly args: readonly string[];
  readonly input?: string;
  /** Milliseconds. Default 60 s, enough for anything local. */
  readonly deadline?: number;
  /** Exit codes beside 0 that are an answer. */
  readonly accept?: readonly number[];
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
}

/** Runs `git` in the mirror. Nothing of the machine's own Git configuration counts, nothing is ever asked. */
export type Git = (run: GitRun) => Promise<GitResult>;

export interface GitSettings {
  /** The mirror: a bare repository. */
  readonly folder: string;
  /** File for git-credential-store, so that no password stands in an argument or a URL; null without. */
  readonly credentials: string | null;
}

/** Larger than a role may be (RELEASE_LIMITS), with what Git puts around it. Bytes. */
const MOST_OUTPUT = 512 * 1024 * 1024;

const SETTINGS = [
  'core.hooksPath=/dev/null',
  'http.lowSpeedLimit=100',
  'http.lowSpeedTime=60',
  'gc.auto=256',
  'gc.autoDetach=false',
].flatMap((setting) => ['-c', setting]);

/** Builds `Git` for one mirror. Failures are `source-unreachable` with Git's last words, without credentials. */
export function gitIn({ folder, credentials }: GitSettings): Git {
  const helper = credentials === null ? [] : ['-c', `credential.helper=store --file=${quoted(credentials)}`];
  return async ({ args, input, deadline = 60_000, accept = [] }) => {
    const result = await execa('git', [...SETTINGS, ...helper, ...args], {
      env: {
        GIT_DIR: folder,
        GIT_TERMINAL_PROMPT: '0',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        // A redirect or a submodule must not reach `ext::`, which runs commands.
        GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
        GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=accept-new',
        LC_ALL: 'C.UTF-8',
      },
      ...(input === undefined ? {} : { input }),
      stdin: input === undefined ? 'ignore' : 'pipe',
      encoding: 'buffer',
      stripFinalNewline: false,
      timeout: deadline,
      // Its way to end children with us ends us too, by the signal that we are stopping in order for.
      cleanup: false,
      forceKillAfterDelay: 5_000,
      maxBuffer: MOST_OUTPUT,
      reject: false,
    });
    const code = result.exitCode ?? -1;
    if (code === 0 || accept.includes(code)) return { code, stdout: Buffer.from(result.stdout) };
    throw new FleetError({
      code: 'source-unreachable',
      what: result.timedOut
        ? `git ${args[0]} took longer than ${deadline / 1000} s`
        : `git ${args[0]}: ${lastWords(Buffer.from(result.stderr).toString('utf8'))}`,
      remedy: 'Check the URL of the fleet repo, the network and the credentials.',
    });
  };
}

function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /^(fatal|error|remote):/.test(line)) ?? lines.at(-1) ?? 'failed')
    .replace(/^fatal: /, '')
    .replaceAll(/\/\/[^/@\s]+@/g, '//');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
