import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clear, eventually, makeApp, OverlordProcess, processesIn, query } from './overlord-process.ts';

let app: string;
let folder: string;
let cluster: string;
const running: OverlordProcess[] = [];

/** Most tests go on with the same database, as an overlord does over the years. */
beforeAll(async () => {
  app = await makeApp();
  folder = join(app, 'data');
  cluster = join(folder, 'cluster');
  await (await start()).end();
}, 60_000);
afterEach(async () => {
  await Promise.all(running.splice(0).map((overlord) => overlord.end()));
});
afterAll(() => clear(folder).then(() => rm(app, { recursive: true, force: true })), 60_000);

async function start(
  options: { readonly in?: string; readonly group?: boolean } = {},
): Promise<OverlordProcess> {
  const { in: where = folder, ...rest } = options;
  const overlord = await OverlordProcess.start(app, where, rest);
  running.push(overlord);
  return overlord;
}

/** A table with one row, committed. */
async function write(url: string, table: string): Promise<void> {
  await query(url, `create table ${table} as select 'kept' as word`);
}

async function expectKept(url: string, table: string): Promise<void> {
  expect(await query(url, `select word from ${table}`)).toEqual([{ word: 'kept' }]);
}

describe('a server that is started and stopped', () => {
  it('keeps its rows, and leaves no process', async () => {
    const first = await start();
    await write(first.url, 'restarted');
    expect(await first.end()).toBe(0);
    expect(await processesIn(cluster)).toEqual([]);
    await expectKept((await start()).url, 'restarted');
  });

  it('listens on no port, behind a socket for its user alone, and writes durably', async () => {
    const { url } = await start();
    const settings = `select name, setting from pg_settings where name in
      ('listen_addresses', 'unix_socket_permissions', 'fsync', 'synchronous_commit', 'data_checksums') order by name`;
    expect(await query(url, settings)).toEqual([
      { name: 'data_checksums', setting: 'on' },
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '' },
      { name: 'synchronous_commit', setting: 'on' },
      { name: 'unix_socket_permissions', setting: '0700' },
    ]);
    expect((await stat(socketOf(url))).mode & 0o777).toBe(0o700);
    expect((await stat(cluster)).mode & 0o777).toBe(0o700);
  });

  it('knows letters beyond ASCII, and sorts the same everywhere', async () => {
    const { url } = await start();
    expect(await query(url, "select lower('ÄÉ') as lower, 'a' < 'B' as ignores_case")).toEqual([
      { lower: 'äé', ignores_case: false },
    ]);
  });

  it('is stopped in order by Ctrl-C, which goes to the whole process group', async () => {
    const overlord = await start({ group: true });
    const log = join(folder, 'postgres.log');
    const { size } = await stat(log);
    const closed = overlord.end('SIGCONT');
    process.kill(-overlord.pid, 'SIGINT');
    expect(await closed).toBe(0);
    const said = (await readFile(log, 'utf8')).slice(size);
    expect(said).toMatch(/received fast shutdown request[^]*database system is shut down/);
  });

  it('is found in a folder whose path is too long for a socket', async () => {
    const deep = join(app, 'd'.repeat(100), 'e'.repeat(100));
    const overlord = await start({ in: deep });
    const socket = socketOf(overlord.url);
    expect(Buffer.byteLength(join(socket, '.s.PGSQL.5432'))).toBeLessThan(108);
    expect((await stat(socket)).mode & 0o777).toBe(0o700);
    await overlord.end();
    expect((await start({ in: deep })).url).toBe(overlord.url);
    await running.pop()?.end();
    // Somebody else got there first, and left it open.
    await mkdir(socket, { mode: 0o755 });
    await expect(start({ in: deep })).rejects.toThrow(/^data-folder-unusable: The folder for .* socket/m);
    await rm(socket, { recursive: true });
  }, 60_000);
});

describe('after kill -9', () => {
  it('of the overlord, the next one takes the server over', async () => {
    const first = await start();
    await write(first.url, 'taken_over');
    await first.end('SIGKILL');
    expect(await processesIn(cluster)).toContain(first.postmaster);
    const second = await start();
    expect(second.postmaster).toBe(first.postmaster);
    await expectKept(second.url, 'taken_over');
    await second.end();
    expect(await processesIn(cluster)).toEqual([]);
  });

  it('of the server, it is back by itself at the same place', async () => {
    const overlord = await start();
    await write(overlord.url, 'server_killed');
    process.kill(overlord.postmaster, 'SIGKILL');
    await eventually(() => expectKept(overlord.url, 'server_killed'));
    expect(overlord.said).toMatch(/PostgreSQL ended, and is started again/);
  });

  it('of the server, a query that goes on for ever does not keep it away', async () => {
    const overlord = await start();
    const client = new pg.Client({ connectionString: overlord.url });
    client.on('error', () => undefined);
    await client.connect();
    const endless = client.query('select count(*) from generate_series(1, 1e12)').catch(() => 'ended');
    process.kill(overlord.postmaster, 'SIGKILL');
    await eventually(() => query(overlord.url, 'select 1'));
    expect(await endless).toBe('ended');
  });

  it('of a server that was taken over, it is back by itself too', async () => {
    const first = await start();
    await first.end('SIGKILL');
    const second = await start();
    process.kill(second.postmaster, 'SIGKILL');
    await eventually(() => query(second.url, 'select 1'));
    expect(await processesIn(cluster)).not.toContain(first.postmaster);
  });

  it('of both, the next start recovers what was committed', async () => {
    const first = await start();
    await write(first.url, 'both_killed');
    process.kill(first.postmaster, 'SIGKILL');
    await first.end('SIGKILL');
    await expectKept((await start()).url, 'both_killed');
  });

  it('of one connection, the server stays', async () => {
    const overlord = await start();
    const [row] = await query(
      overlord.url,
      "select pid from pg_stat_activity where application_name = 'overlord supervisor'",
    );
    process.kill(row.pid, 'SIGKILL');
    await eventually(async () => {
      const [again] = await query(
        overlord.url,
        "select pid from pg_stat_activity where application_name = 'overlord supervisor'",
      );
      expect(again.pid).not.toBe(row.pid);
    });
    expect(await processesIn(cluster)).toContain(overlord.postmaster);
    expect(overlord.said).not.toMatch(/is started again/);
  });

  it('of an overlord that was making the database, the next one makes it', async () => {
    const fresh = await mkdtemp(join(app, 'half-'));
    const overlord = OverlordProcess.start(app, fresh);
    overlord.catch(() => undefined);
    await eventually(async () => {
      const names = await readdir(fresh);
      expect(names.some((name) => name.startsWith('cluster.new-'))).toBe(true);
    });
    const pid = Number(await readFile(join(fresh, 'lock'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await expect(overlord).rejects.toThrow();
    const next = await start({ in: fresh });
    await write(next.url, 'whole');
    expect((await readdir(fresh)).filter((name) => name.includes('.new-'))).toEqual([]);
  }, 60_000);
});

describe('of two overlords on one folder', () => {
  it('the second is refused with the process of the first, which goes on', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(
      new RegExp(`^database-in-use: Another overlord, process ${first.pid}, uses this database`, 'm'),
    );
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('one makes the database when both come first', async () => {
    const fresh = join(app, 'race');
    const both = await Promise.allSettled([
      OverlordProcess.start(app, fresh),
      OverlordProcess.start(app, fresh),
    ]);
    const started = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    running.push(...started);
    expect(started).toHaveLength(1);
    expect(both.map((one) => (one.status === 'rejected' ? String(one.reason) : ''))).toContainEqual(
      expect.stringContaining('database-in-use'),
    );
  }, 60_000);

  it('the second is refused also after the process that holds the lock was killed', async () => {
    const first = await start();
    const holder = (await processesIn('/')).map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return text.startsWith(`${pid} (cat) `) && text.split(' ')[3] === `${first.pid}` ? [pid] : [];
    });
    const [pid] = (await Promise.all(holder)).flat();
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually(() => Promise.resolve(expect(first.said).toMatch(/the lock is taken again/)));
    await expect(start()).rejects.toThrow(/^database-in-use/m);
  });
});

describe('what is found in the folder', () => {
  it('a pid file whose pid is another program by now is no server', async () => {
    await writeFile(join(cluster, 'postmaster.pid'), `${process.pid}\n${cluster}\n`);
    const { postmaster } = await start();
    expect(postmaster).not.toBe(process.pid);
  });

  it('a server that another version started is started anew', async () => {
    const first = await start();
    await write(first.url, 'other_version');
    await first.end('SIGKILL');
    const how = join(cluster, 'postmaster.opts');
    await writeFile(how, (await readFile(how, 'utf8')).replace('18.', '17.'));
    const second = await start();
    expect(second.postmaster).not.toBe(first.postmaster);
    await expectKept(second.url, 'other_version');
  });

  it('a torn copy of the programs is mended, and that of another version removed', async () => {
    const programs = (await readdir(folder)).find((name) => name.startsWith('postgresql-')) ?? '';
    await truncate(join(folder, programs, 'lib/libpq.so.5.18'), 1000);
    await truncate(join(folder, programs, 'bin/postgres'), 0);
    await mkdir(join(folder, 'postgresql-17.1'));
    await start();
    expect((await readdir(folder)).filter((name) => name.startsWith('postgresql-'))).toEqual([programs]);
  });

  it('a database of another major version is left alone', async () => {
    const old = await mkdtemp(join(app, 'old-'));
    const { uid, gid } = await stat(cluster);
    await mkdir(join(old, 'cluster'));
    await chown(join(old, 'cluster'), uid, gid);
    await writeFile(join(old, 'cluster/PG_VERSION'), '15\n');
    await expect(start({ in: old })).rejects.toThrow(
      /^version-incompatible: The database was written by PostgreSQL 15, and this overlord brings PostgreSQL 18/m,
    );
  });

  it("somebody's files are left alone", async () => {
    const strange = await mkdtemp(join(app, 'strange-'));
    await mkdir(join(strange, 'cluster'));
    await writeFile(join(strange, 'cluster/thesis.txt'), 'draft');
    await expect(start({ in: strange })).rejects.toThrow(/^data-folder-unusable: /m);
    expect(await readFile(join(strange, 'cluster/thesis.txt'), 'utf8')).toBe('draft');
  });

  it('a file in its place is named', async () => {
    const file = join(app, 'file');
    await writeFile(file, '');
    await expect(start({ in: file })).rejects.toThrow(/^data-folder-unusable: .*not a folder \(.*file\)/m);
    await expect(start({ in: join(file, 'x') })).rejects.toThrow(/^data-folder-unusable: .*not a folder/m);
  });
});

function socketOf(url: string): string {
  return new URL(url).searchParams.get('host') ?? '';
}
