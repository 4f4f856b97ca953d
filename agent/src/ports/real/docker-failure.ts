import { FleetError, type ErrorCode, type Problem } from '@metrica-fleet/protocol';
import type { Command, Exec, Finished } from '../exec.ts';

const DOCKER_MISSING: Problem = {
  code: 'docker-missing',
  what: 'Docker is not installed',
  where: '/usr/bin/docker',
  remedy: 'Install it: `sudo apt-get install docker.io` (and `docker-cli` on Debian trixie).',
};

/** `docker compose` is not there, is too old, or is only the old `docker-compose` script (v1). */
export function composeMissing(what: string): FleetError {
  return new FleetError({
    code: 'compose-missing',
    what,
    where: 'docker compose',
    remedy:
      'Install version 2.20 or newer: `sudo apt-get install docker-compose` on Debian trixie, `sudo apt-get install docker-compose-plugin` from Docker’s repository elsewhere (Debian bookworm’s `docker-compose` is version 1).',
  });
}

/** Runs `docker …` and returns what it says whatever its exit code; a missing program or engine is thrown. */
export async function runDocker(exec: Exec, command: Command): Promise<Finished> {
  let finished: Finished;
  try {
    finished = await exec.run({ cwd: '/', ...command });
  } catch (thrown) {
    const missing = thrown instanceof FleetError && thrown.problem.what.endsWith('is not installed');
    throw missing ? new FleetError(DOCKER_MISSING, { cause: thrown }) : thrown;
  }
  if (finished.code !== 0) throwIfEngineFault(finished.stderr);
  return finished;
}

/** From here on an exit code says that the program was killed; 255 is Docker's own word for a plugin that was. */
const KILLED = 129;

/**
 * Runs `docker …` that must succeed; anything but exit 0 is thrown as `code`, with the last lines that it printed. One
 * that was killed (for memory, mostly) has not judged anything: that is `command-failed`, whatever it was asked.
 */
export async function mustRunDocker(
  exec: Exec,
  command: Command,
  failure: { readonly code: ErrorCode; readonly what: string; readonly where?: string },
): Promise<string> {
  const { code, stdout, stderr } = await runDocker(exec, command);
  if (code === 0) return stdout.toString('utf8');
  const { what, ...rest } = failure;
  if (code >= KILLED) throw killed(command, code);
  throw new FleetError({ ...rest, what: `${what}: ${lastLines(stderr)}` });
}

function killed({ argv }: Command, code: number): FleetError {
  const verbs = argv.filter((word) => /^[a-z]+$/.test(word)).slice(0, 2);
  return new FleetError({
    code: 'command-failed',
    what: `«${verbs.join(' ')}» was killed before it ended (exit code ${code})`,
    remedy: 'Look at `journalctl -k` for the memory; it is tried again.',
  });
}

/** The last lines of an output on one line, without the progress of containers that went well. */
export function lastLines(output: string, count = 5): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !PROGRESS.test(line));
  return lines.slice(-count).join(' | ').slice(-1_000) || 'it said nothing';
}

const PROGRESS =
  /^(Container|Network|Volume) \S+ +(Creating|Created|Starting|Started|Running|Recreate|Recreated|Waiting|Healthy|Exited)$/;

function throwIfEngineFault(stderr: string): void {
  if (/cannot connect to the docker daemon|error during connect|is the docker daemon running/i.test(stderr)) {
    throw new FleetError({
      code: 'docker-unreachable',
      what: 'The Docker engine does not answer',
      where: '/var/run/docker.sock',
      remedy:
        'Look at `systemctl status docker` and `journalctl -u docker`; start it with `sudo systemctl start docker`.',
    });
  }
  if (/no space left on device|disk quota exceeded/i.test(stderr)) {
    throw new FleetError({
      code: 'no-space',
      what: `The Docker engine has no space left: ${lastLines(stderr, 1)}`,
      where: '/var/lib/docker',
      remedy: 'Free space: `docker system df`, `docker image prune`.',
    });
  }
  if (
    /'compose' is not a docker command|unknown command: docker compose|unknown (shorthand )?flag: .*(ansi|project|'[fp]' in -)/i.test(
      stderr,
    )
  ) {
    throw composeMissing('Docker has no `compose` command');
  }
}

/** A refusal of `docker …` that is none of the engine's own faults. */
export function refused(what: string, { stderr }: Pick<Finished, 'stderr'>): FleetError {
  return new FleetError({ code: 'command-failed', what: `«docker ${what}» failed: ${lastLines(stderr)}` });
}
