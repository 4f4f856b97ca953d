import { FleetError, type ErrorCode, type Problem } from '@metrica-fleet/protocol';
import type { GitConfig } from '../../config.ts';
import type { Finished } from '../../ports/exec.ts';

export interface GitOutcome {
  readonly finished: Finished;
  readonly remote: GitConfig;
  readonly fileLimit: number;
}

/** What git prints, and whose trouble it is. The first that matches counts; what matches none is the network's. */
const SIGNS: readonly { readonly sign: RegExp; readonly code: ErrorCode; readonly remedy: string }[] = [
  {
    sign: /File too large/i,
    code: 'bundle-too-large',
    remedy: 'Remove the large file from the repo: put large data into an image or fetch it at run time.',
  },
  {
    sign: /No space left on device|Disk quota exceeded/i,
    code: 'no-space',
    remedy: 'Free space: `docker system df`, `journalctl --disk-usage`, `du -xh / | sort -h | tail`.',
  },
  {
    sign: /Authentication failed|could not read (Username|Password)|Permission denied|Host key verification failed|error: 40[13]|HTTP (Basic|40[13])|terminal prompts disabled|access rights|dubious ownership/i,
    code: 'source-denied',
    remedy:
      'Check `credentials`, `ssh_key` and `known_hosts` in config.yaml, and the key or token at the server.',
  },
  {
    // GnuTLS, which Debian's git has, gives no reason; a clock that is wrong is the most common one on a Pi.
    sign: /server certificate verification failed|SSL certificate problem/i,
    code: 'certificate-mismatch',
    remedy:
      'Look at `date`: a wrong clock makes every certificate invalid. If it is right, nobody vouches for this server here.',
  },
  {
    sign: /not our ref|upload-pack: not our ref|couldn't find remote ref|unadvertised object/i,
    code: 'source-unreachable',
    remedy: 'The commit is no longer on the server (a forced push?); the next run asks again.',
  },
];

/** A git command that failed. Inside this folder it matters what the command worked on. */
export class GitFailure extends FleetError {
  /** False where only the cache was read, so that a failure means that the cache is damaged. */
  readonly online: boolean;

  constructor(problem: Problem, online: boolean) {
    super(problem);
    this.online = online;
  }
}

/** A failed git command as a problem. */
export function gitProblem({ finished, remote, fileLimit }: GitOutcome): Problem {
  const { stderr, code } = finished;
  const known = SIGNS.find(({ sign }) => sign.test(stderr));
  const where = `${remote.url}#${remote.ref}`;
  if (known?.code === 'bundle-too-large') {
    const limit = `${Math.floor(fileLimit / 1024 / 1024)} MiB`;
    return { code: known.code, what: `The download is larger than ${limit}`, where, remedy: known.remedy };
  }
  return {
    code: known?.code ?? 'source-unreachable',
    what: `git: ${lastWords(stderr) || `exit code ${code}`}`,
    where,
    remedy: known?.remedy ?? 'Check the URL in config.yaml, the network and the server; it is tried again.',
  };
}

/** The last lines that say something, on one line: git ends with advice that is not about this case. */
function lastWords(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^(fatal|error|remote): /, '').trim())
    .filter(
      (line) => line !== '' && !/^(Please make sure|and the repository exists|Cloning|From )/.test(line),
    )
    .slice(-4)
    .join('; ')
    .slice(0, 500);
}
