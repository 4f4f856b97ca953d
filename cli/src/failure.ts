import { FleetError, type ErrorCode } from '@metrica-fleet/protocol';
import { CommanderError } from 'commander';
import { EXIT, type Exit } from './exit.ts';

/** Codes that mean more to a script than «failed». */
const EXIT_OF: Partial<Record<ErrorCode, Exit>> = {
  'role-not-found': EXIT.notFound,
  'branch-not-found': EXIT.notFound,
  'source-denied': EXIT.notAllowed,
  'image-denied': EXIT.notAllowed,
  'deadline-exceeded': EXIT.timedOut,
};

/** The command was stopped from outside, by Ctrl-C or SIGTERM. */
export class Cancelled extends Error {}

export interface Failure {
  /** For stderr; null when it has been said already, or when nothing is wrong (`--help`). */
  readonly message: string | null;
  readonly exit: Exit;
}

/** The one place where what was thrown becomes a message and an exit code. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof FleetError) {
    return { message: describe(thrown), exit: EXIT_OF[thrown.problem.code] ?? EXIT.failed };
  }
  // Commander has printed its message, or the help that was asked for.
  if (thrown instanceof CommanderError) {
    return { message: null, exit: thrown.exitCode === 0 ? EXIT.done : EXIT.usage };
  }
  if (thrown instanceof Cancelled) return { message: 'Stopped.', exit: EXIT.cancelled };
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return { message: `This is our bug; please report it with these lines.\n${trace}`, exit: EXIT.bug };
}

/** What, where, what to try: a line each. */
function describe({ problem: { what, where, remedy } }: FleetError): string {
  return [what, where && `  where: ${where}`, remedy && `  try:   ${remedy}`].filter(Boolean).join('\n');
}
