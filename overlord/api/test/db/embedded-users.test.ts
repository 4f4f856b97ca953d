import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { clear, makeApp, OverlordProcess, processesIn, query, type User } from './overlord-process.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test was skipped. */
    reason?: string;
  }
}

const SELF = process.getuid?.() ?? 0;

let app: string;
const folders: string[] = [];
const running: OverlordProcess[] = [];

beforeAll(async () => {
  app = await makeApp();
}, 60_000);
afterEach(async () => {
  await Promise.all(running.splice(0).map((overlord) => overlord.end()));
  await Promise.all(folders.splice(0).map(clear));
});
afterAll(() => rm(app, { recursive: true, force: true }));

async function start(folder: string, user: User | null = null): Promise<OverlordProcess> {
  const overlord = await OverlordProcess.start(app, folder, { user });
  running.push(overlord);
  return overlord;
}

/** A home that only its owner can enter, and a place for data in it. */
async function home(owner: User): Promise<string> {
  const path = await mkdtemp(join(app, 'home-'));
  await chown(path, owner.uid, owner.gid);
  await chmod(path, 0o700);
  folders.push(join(path, 'data'));
  return join(path, 'data');
}

/** Somebody without rights; the one who runs the tests where that is not root. */
async function anna(): Promise<User> {
  if (SELF !== 0) return { uid: SELF, gid: process.getgid?.() ?? 0 };
  const [, , uid, gid] = /^games:.*$/m.exec(await readFile('/etc/passwd', 'utf8'))?.[0].split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/** Whom the processes of a cluster belong to, root's own aside. */
async function ownersOf(cluster: string): Promise<number[]> {
  const pids = await processesIn(cluster);
  const owners = await Promise.all(pids.map(async (pid) => (await stat(`/proc/${pid}`)).uid));
  return [...new Set(owners)];
}

function requireRoot({ task, skip }: TestContext): void {
  if (SELF === 0) return;
  task.meta.reason = 'only root can change users';
  skip();
}

describe('a normal user', () => {
  it('has a database below a home of mode 0700', async () => {
    const user = await anna();
    const data = await home(user);
    const first = await start(data, SELF === 0 ? user : null);
    await query(first.url, "create table words as select 'kept' as word");
    expect(await ownersOf(join(data, 'cluster'))).toEqual([user.uid]);
    await first.end();
    const second = await start(data, SELF === 0 ? user : null);
    expect(await query(second.url, 'select word from words')).toEqual([{ word: 'kept' }]);
  }, 60_000);

  it('is told of a folder that cannot be written', async () => {
    const user = await anna();
    const data = await home(user);
    await mkdir(data, { mode: 0o555 });
    await chown(data, user.uid, user.gid);
    await expect(start(data, SELF === 0 ? user : null)).rejects.toThrow(
      /^data-folder-unusable: The data folder is not writable \(.*data\)\. Give the folder/m,
    );
  });

  it('is told of a database of another user', async (context) => {
    requireRoot(context);
    const data = await mkdtemp(join(app, 'shared-'));
    await chmod(data, 0o777);
    await mkdir(join(data, 'cluster'));
    await chown(join(data, 'cluster'), 12_345, 12_345);
    await expect(start(data, await anna())).rejects.toThrow(
      /^data-folder-unusable: The database belongs to the user with id 12345, and this is user \d+/m,
    );
    await rm(data, { recursive: true });
  });
});

describe('root', () => {
  it('has a database below a home of mode 0700, run by somebody without rights', async (context) => {
    requireRoot(context);
    const data = await home({ uid: 0, gid: 0 });
    const first = await start(data);
    await query(first.url, "create table words as select 'kept' as word");
    const [owner, ...others] = await ownersOf(join(data, 'cluster'));
    expect(owner).toBeGreaterThan(0);
    expect(others).toEqual([]);
    const groups = await readFile(`/proc/${first.postmaster}/status`, 'utf8');
    expect(groups).toMatch(/^Groups:\s*$/m);
    await first.end('SIGKILL');
    const second = await start(data);
    expect(second.postmaster).toBe(first.postmaster);
    process.kill(first.postmaster, 'SIGKILL');
    await second.end('SIGKILL');
    const third = await start(data);
    expect(await query(third.url, 'select word from words')).toEqual([{ word: 'kept' }]);
  }, 60_000);

  it('goes on with the database of a normal user as that user', async (context) => {
    requireRoot(context);
    const user = await anna();
    const data = await home(user);
    await (await start(data, user)).end();
    await start(data);
    expect(await ownersOf(join(data, 'cluster'))).toEqual([user.uid]);
    await running.pop()?.end();
    // And the user with what root left.
    await expect(start(data, user)).resolves.toBeInstanceOf(OverlordProcess);
  }, 60_000);

  it('is told of a database that was restored as root', async (context) => {
    requireRoot(context);
    const data = await mkdtemp(join(app, 'restored-'));
    await mkdir(join(data, 'cluster'));
    await writeFile(join(data, 'cluster/PG_VERSION'), '18\n');
    await expect(start(data)).rejects.toThrow(
      /^data-folder-unusable: The database belongs to root.*chown -R/m,
    );
    await rm(data, { recursive: true });
  });
});
