import { spawnSync } from 'node:child_process';

/** A tool that the command needs did not do its work; the message says what and what to try. */
export class ToolFailed extends Error {}

/**
 * Runs a tool to its end with its output on stderr: stdout belongs to the command.
 *
 * @param {readonly [string, ...string[]]} argv
 * @param {{ root: string, missing: string, remedy: string }} hints what to say where the program is not there, and where it fails
 */
export function runTool(argv, { root, missing, remedy }) {
  const [program, ...args] = argv;
  const { error, status, signal } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined)
    throw new ToolFailed(`${program} could not be started: ${error.message}. ${missing}`);
  if (status !== 0) throw new ToolFailed(`«${argv.join(' ')}» ended with ${signal ?? status}. ${remedy}`);
}
