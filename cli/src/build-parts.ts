import { join } from 'node:path';
import { buildDashboard } from './build-dashboard.ts';
import { exec } from './exec.ts';
import type { Terminal } from './terminal.ts';

export interface BuildOptions {
  /** Also the simulator. Default: false. */
  readonly simulator?: boolean;
  /** Ends the build. Default: it is not to be ended. */
  readonly signal?: AbortSignal;
}

/** Builds what runs beside the command line: quick when nothing has changed. */
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
  await buildDashboard(root, stop);
}
