import type { Label } from './ports.ts';

export interface Command {
  readonly label: Label;
  readonly argv: readonly [string, ...string[]];
  /** Milliseconds until the whole process group is killed. There is no default: no process is started without one. */
  readonly deadline: number;
  /** Written to standard input, which is then closed. Secrets go here or into files, never into argv. */
  readonly input?: string | Uint8Array;
  /** The whole environment of the child beyond PATH, HOME and LANG=C.UTF-8. Nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Bytes of stdout and of stderr that are kept; more ends the command with `command-failed`. Default 16 MiB. */
  readonly maxOutput?: number;
}

export interface Finished {
  /** Exit code; 128 + signal number where it was killed. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Exec {
  /**
   * Runs a command to its end. A non-zero exit is an outcome, not an exception. Throws FleetError `deadline-exceeded`
   * when the deadline passes, `command-failed` when the program is missing or floods its output.
   */
  run(command: Command): Promise<Finished>;
}
