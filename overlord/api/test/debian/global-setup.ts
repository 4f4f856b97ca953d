import { execa } from 'execa';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import setup from '../postgres.ts';

/** Where Debian keeps the programs of each major version of PostgreSQL. */
const VERSIONS = '/usr/lib/postgresql';

/** Vitest's globalSetup: PostgreSQL as Debian brings it, in a cluster of our own, reached by TCP as a remote one is. */
export default async function setupDebian(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  process.env['TEST_DATABASE_URL'] = server.url;
  const remove = await setup(project);
  return async () => {
    await remove();
    await server.stop();
  };
}

async function startServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const programs = join(VERSIONS, await newestVersion(), 'bin');
  const folder = await mkdtemp(join(tmpdir(), 'fleet-debian-postgres-'));
  const user = await unprivilegedUser();
  if (user !== null) await chown(folder, user.uid, user.gid);
  const run = (program: string, ...args: readonly string[]) =>
    execa(join(programs, program), args, { cwd: folder, cleanup: false, ...user });
  const port = await freePort();
  const cluster = join(folder, 'cluster');
  await run(
    'initdb',
    '--pgdata',
    cluster,
    '--username',
    'fleet',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-locale',
  );
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder}`;
  await run('pg_ctl', 'start', '--wait', '--pgdata', cluster, '--log', join(folder, 'log'), '-o', settings);
  return {
    url: `postgres://fleet@127.0.0.1:${port}/postgres`,
    async stop() {
      await run('pg_ctl', 'stop', '--mode=fast', '--pgdata', cluster);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function newestVersion(): Promise<string> {
  const versions = await readdir(VERSIONS).catch(() => []);
  const [newest] = versions.sort((one, other) => Number(other) - Number(one));
  if (newest === undefined) throw new Error(`There is nothing in ${VERSIONS}: apt install postgresql`);
  return newest;
}

/** PostgreSQL does not run as root; Debian makes a user for it. Null: we are somebody else already. */
async function unprivilegedUser(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const id = async (which: '-u' | '-g') => Number((await execa('id', [which, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
