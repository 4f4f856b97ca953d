import { join } from 'node:path';
import { exec } from './exec.ts';
import type { Terminal } from './terminal.ts';

/** Builds what runs beside the command line: quick when nothing has changed, since the compiler looks for itself. */
export async function buildParts(root: string, terminal: Terminal): Promise<void> {
  terminal.aside('Building…\n');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await exec({ argv: [process.execPath, tsc, '-b', 'overlord/api', 'agent'], cwd: root });
}
