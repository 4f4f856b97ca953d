import { FleetError } from '@metrica-fleet/protocol';
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Command, Exec, Finished } from '../exec.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_MAX_OUTPUT = 16 * 1024 * 1024;
/** After SIGTERM a process group gets this long before SIGKILL. Milliseconds. */
const GRACE = 2_000;

/** Real processes, each in a group of its own, so that a deadline ends the grandchildren too. */
export function realExec(): Exec {
  return { run };
}

function run(command: Command): Promise<Finished> {
  const [program, ...args] = command.argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: command.cwd,
      env: { PATH, HOME: '/root', LANG: 'C.UTF-8', ...command.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const guard = guardOf(child, command);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => guard.count(chunk, stdout));
    child.stderr.on('data', (chunk: Buffer) => guard.count(chunk, stderr));
    // A child that does not read its input (or dies early) must not bring us down with EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input);
    child.on('error', (error: NodeJS.ErrnoException) => {
      guard.done();
      reject(cannotStart(command, error));
    });
    child.on('close', (code, signal) => {
      guard.done();
      if (guard.failure !== null) return reject(guard.failure);
      resolve({
        code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
  });
}

interface Guard {
  failure: FleetError | null;
  count(chunk: Buffer, into: Buffer[]): void;
  done(): void;
}

/** Watches the deadline and the size of the output; either ends the whole process group. */
function guardOf(child: ChildProcess, command: Command): Guard {
  let bytes = 0;
  let kill: NodeJS.Timeout | undefined;
  const end = (failure: FleetError): void => {
    if (guard.failure !== null) return;
    guard.failure = failure;
    signalGroup(child, 'SIGTERM');
    kill = setTimeout(() => {
      signalGroup(child, 'SIGKILL');
      // A grandchild that left the group may hold the pipes open for ever; we do not wait for it.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, GRACE);
  };
  const deadline = setTimeout(() => end(tooSlow(command)), command.deadline);
  const guard: Guard = {
    failure: null,
    count(chunk, into) {
      bytes += chunk.length;
      if (bytes > (command.maxOutput ?? DEFAULT_MAX_OUTPUT)) end(tooLoud(command));
      else into.push(chunk);
    },
    done() {
      clearTimeout(deadline);
      clearTimeout(kill);
    },
  };
  return guard;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

function nameOf(command: Command): string {
  return command.argv.slice(0, 3).join(' ');
}

function tooSlow(command: Command): FleetError {
  return new FleetError({
    code: 'deadline-exceeded',
    what: `«${nameOf(command)}» did not end within ${command.deadline / 1000} s and was stopped`,
  });
}

function tooLoud(command: Command): FleetError {
  return new FleetError({
    code: 'command-failed',
    what: `«${nameOf(command)}» printed too much and was stopped`,
  });
}

function cannotStart(command: Command, error: NodeJS.ErrnoException): FleetError {
  const missing = error.code === 'ENOENT';
  return new FleetError(
    {
      code: 'command-failed',
      what: missing
        ? `The program ${command.argv[0]} is not installed`
        : `${command.argv[0]} cannot be started: ${error.message}`,
      ...(missing
        ? {
            remedy:
              'Install the package that brings it; `apt-get install --reinstall role-agent` names them.',
          }
        : {}),
    },
    { cause: error },
  );
}
