import { join, resolve } from 'node:path';
import { exec } from '../exec.ts';
import type { Shell } from '../program.ts';

/** `fleet package`: the agent as a Debian package, one for bookworm and trixie and every architecture. */
export function addPackage(shell: Shell): void {
  shell.program
    .command('package')
    .description('Build the agent’s Debian package')
    .option('--out <folder>', 'folder for the .deb', 'dist')
    .action(async ({ out }: { readonly out: string }) => {
      const script = join(shell.root, 'agent/dist/debian/build-deb.js');
      const { stdout } = await exec({ argv: [process.execPath, script, resolve(out)] });
      shell.terminal.out(stdout.toString('utf8'));
    });
}
