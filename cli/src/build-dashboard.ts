import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exec } from './exec.ts';

/** What the dashboard is built from, files and folders. */
const SOURCES = ['overlord/dashboard', 'protocol/src', 'package-lock.json'];
/** Made by builds and tests: no sources. */
const MADE = new Set(['dist', 'test', 'node_modules']);

/** Where {@link buildDashboard} leaves the dashboard. */
export function dashboardOf(root: string): string {
  return join(root, 'overlord/dashboard/dist');
}

/**
 * Builds the dashboard, unless nothing has changed since: an overlord that runs would be without it for a moment.
 * The stamp bears the time at which the build began, so that what changes meanwhile is built the next time.
 */
export async function buildDashboard(root: string, stop: { readonly signal?: AbortSignal }): Promise<void> {
  const stamp = join(root, '.cache/dashboard-stamp');
  const built = await timeOf(stamp);
  const page = await timeOf(join(dashboardOf(root), 'index.html'));
  if (built !== null && page !== null && (await newest(root)) < built) return;
  const begun = new Date();
  await exec({
    argv: [process.execPath, join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'],
    cwd: join(root, 'overlord/dashboard'),
    // Whatever the shell says that we are in: people get the build for production.
    env: { NODE_ENV: 'production' },
    ...stop,
  });
  await mkdir(dirname(stamp), { recursive: true });
  await writeFile(stamp, '');
  await utimes(stamp, begun, begun);
}

/** When the newest source was changed. Milliseconds. */
async function newest(root: string): Promise<number> {
  return Math.max(...(await Promise.all(SOURCES.map((path) => newestIn(join(root, path))))));
}

/** Of a file, or of all in a folder. A folder within changes with what is put into it or taken out. */
async function newestIn(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => null);
  if (entries === null) return (await timeOf(path)) ?? 0;
  const times = entries
    .filter(({ name }) => !MADE.has(name))
    .map(async (entry) => {
      const inside = join(path, entry.name);
      const own = (await timeOf(inside)) ?? 0;
      return entry.isDirectory() ? Math.max(own, await newestIn(inside)) : own;
    });
  return Math.max(0, ...(await Promise.all(times)));
}

async function timeOf(path: string): Promise<number | null> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
}
