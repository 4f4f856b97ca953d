import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addBench } from './commands/bench.ts';
import { addBundle } from './commands/bundle.ts';
import { addDemo } from './commands/demo.ts';
import { addPackage } from './commands/package.ts';
import { addRelease } from './commands/release.ts';
import { addRole } from './commands/role.ts';
import { addTest } from './commands/test.ts';
import { addUp } from './commands/up.ts';
import { EXIT, type Exit } from './exit.ts';
import { failureOf } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** What each noun needs to add its verbs: the root command, the terminal, and a place to leave the exit code. */
export interface Shell {
  readonly program: Command;
  readonly terminal: Terminal;
  /** The clone that this command line belongs to. */
  readonly root: string;
  /** Says how the command ended; without a call it is done. */
  readonly exit: (code: Exit) => void;
}

/** The command line as a map: each noun, and the file that has its verbs. Returns the exit code; never throws. */
export async function runProgram(argv: readonly string[], terminal: Terminal, root: string): Promise<Exit> {
  let code: Exit = EXIT.done;
  const program = new Command('fleet')
    .description('Manage a fleet of Raspberry Pis.')
    .version(versionOf(root), '-V, --version')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('Try --help after any command.')
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.aside(text) });
  const shell: Shell = { program, terminal, root, exit: (next) => (code = next) };

  addDemo(shell);
  addUp(shell);
  addRole(shell);
  addRelease(shell);
  addBundle(shell);
  addPackage(shell);
  addTest(shell);
  addBench(shell);

  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    const { message, exit } = failureOf(thrown);
    if (message !== null) terminal.aside(`fleet: ${message}\n`);
    return exit;
  }
}

function versionOf(root: string): string {
  const json: { readonly version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return json.version;
}
