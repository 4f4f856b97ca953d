import { join } from 'node:path';
import { exec } from './exec.ts';
import type { Terminal } from './terminal.ts';

/** Builds what runs beside the command line: quick when nothing has changed, since the compiler looks for itself. */
export async function buildParts(root: string, terminal: Terminal): Promise<void> {
  terminal.aside('Building…\n');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await exec({ argv: [process.execPath, tsc, '-b', 'overlord/api', 'agent'], cwd: root });
  const dashboard = join(root, 'overlord/dashboard');
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  await exec({
    argv: [process.execPath, vite, 'build', '--logLevel', 'warn'],
    cwd: dashboard,
    // Whatever the shell says that we are in: people get the build for production.
    env: { NODE_ENV: 'production' },
  });
}

/** Where {@link buildParts} leaves the dashboard. */
export function dashboardOf(root: string): string {
  return join(root, 'overlord/dashboard/dist');
}
