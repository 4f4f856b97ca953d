import { join } from 'node:path';
import { exec } from './exec.ts';
import type { Terminal } from './terminal.ts';

export interface BuildOptions {
  /** Also the simulator. Default: false. */
  readonly simulator?: boolean;
  /** Ends the build. Default: it is not to be ended. */
  readonly signal?: AbortSignal;
}

/** Builds what runs beside the command line: quick when nothing has changed, since the compiler looks for itself. */
export async function buildParts(
  root: string,
  terminal: Terminal,
  { simulator = false, signal }: BuildOptions = {},
): Promise<void> {
  const stop = signal === undefined ? {} : { signal };
  terminal.aside('Building…\n');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const parts = ['overlord/api', 'agent', ...(simulator ? ['simulator'] : [])];
  await exec({ argv: [process.execPath, tsc, '-b', ...parts], cwd: root, ...stop });
  const dashboard = join(root, 'overlord/dashboard');
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  await exec({
    argv: [process.execPath, vite, 'build', '--logLevel', 'warn'],
    cwd: dashboard,
    // Whatever the shell says that we are in: people get the build for production.
    env: { NODE_ENV: 'production' },
    ...stop,
  });
}

/** Where {@link buildParts} leaves the dashboard. */
export function dashboardOf(root: string): string {
  return join(root, 'overlord/dashboard/dist');
}
