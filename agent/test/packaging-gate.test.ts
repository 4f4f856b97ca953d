import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const GATE = join(import.meta.dirname, '../debian/gate');
const CAM = 'c4'.repeat(32);
const WEB = 'eb'.repeat(32);

let root: string;
let engine: Server | undefined;
const requests: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gate-'));
  requests.length = 0;
  await put('proc/uptime', '1000.55 3900.10\n');
  await put('etc/role-agent/config.yaml', 'role: web\n');
  await run('next-due', '2000');
});

afterEach(async () => {
  await new Promise((done) => (engine === undefined ? done(null) : engine.close(done)));
  engine = undefined;
  await rm(root, { recursive: true });
});

describe('a run is due', () => {
  test('when nobody has named the next one, as after a boot', async () => {
    await rm(join(root, 'run/role-agent/next-due'));
    expect(await gate()).toBe('due');
  });

  test.each(['0', '1000', '999\n', '', '\n', 'soon', '-5', '12.5', '9'.repeat(20)])(
    'when next-due says %j at uptime 1000',
    async (due) => {
      await run('next-due', due);
      expect(await gate()).toBe('due');
    },
  );

  test('when an update is unfinished', async () => {
    await run('unfinished', 'staging\n');
    expect(await gate()).toBe('due');
  });

  test('when a container that is expected does not run', async () => {
    await run('expected', `${WEB}\n${CAM}\n`);
    await dockerRuns([CAM]);
    expect(await gate()).toBe('due');
  });

  test('when that is the last one and its line has no end', async () => {
    await run('expected', `${CAM}\n${WEB}`);
    await dockerRuns([CAM]);
    expect(await gate()).toBe('due');
  });

  test('when a container has left an empty cgroup behind', async () => {
    await run('expected', `${CAM}\n${WEB}`);
    await put(`sys/fs/cgroup/docker/${CAM}/cgroup.procs`, '712\n');
    await put(`sys/fs/cgroup/docker/${WEB}/cgroup.procs`, '');
    await dockerRuns([CAM]);
    expect(await gate()).toBe('due');
  });

  test('when the configuration is gone but there is a journal', async () => {
    await rm(join(root, 'etc'), { recursive: true });
    await run('next-due', '0');
    await put('var/lib/role-agent/journal.json', '{}');
    expect(await gate()).toBe('due');
  });
});

describe('a run is not due', () => {
  test('before its time', async () => {
    await run('next-due', '1001\n');
    expect(await gate()).toBe('not due');
  });

  test('while everything that is expected runs, whatever else does', async () => {
    await run('expected', `${CAM}\n${WEB}\n`);
    await dockerRuns([WEB, 'f0'.repeat(32), CAM]);
    expect(await gate()).toBe('not due');
    expect(requests).toEqual(['/containers/json?filters={"status":["running"]}']);
  });

  test.each(['system.slice/docker-ID.scope', 'docker/ID', 'pids/docker/ID'])(
    'while the kernel has processes of everything expected in %s, and then nobody asks Docker',
    async (cgroup) => {
      await run('expected', `${CAM}\n${WEB}\n`);
      await put(`sys/fs/cgroup/${cgroup.replace('ID', CAM)}/cgroup.procs`, '712\n');
      await put(`sys/fs/cgroup/${cgroup.replace('ID', WEB)}/cgroup.procs`, '713\n714\n');
      await dockerRuns([]);
      expect(await gate()).toBe('not due');
      expect(requests).toEqual([]);
    },
  );

  test('because Docker is not there', async () => {
    await run('expected', `${CAM}\n`);
    expect(await gate()).toBe('not due');
  });

  test('because Docker answers with an error', async () => {
    await run('expected', `${CAM}\n`);
    await dockerAnswers(500, '{"message":"starting"}');
    expect(await gate()).toBe('not due');
  });

  test('because Docker does not answer at all', async () => {
    await run('expected', `${CAM}\n`);
    await dockerAnswers(null, '');
    expect(await gate()).toBe('not due');
  });

  test('before there is a configuration', async () => {
    await rm(join(root, 'etc'), { recursive: true });
    await rm(join(root, 'run/role-agent/next-due'));
    expect(await gate()).toBe('not due');
  });

  test('and then nobody asks Docker when nothing is expected', async () => {
    await run('expected', '');
    await dockerRuns([]);
    expect(await gate()).toBe('not due');
    expect(requests).toEqual([]);
  });
});

describe('a wake', () => {
  test('makes a run due and takes the flag away, so that role-agent.path cannot spin', async () => {
    await run('wake', '');
    expect(await gate()).toBe('due');
    expect(await readdir(join(root, 'run/role-agent'))).toEqual(['next-due', 'woken']);
  });

  test('from the unit that listens for signals is the same, whatever that unit has put there', async () => {
    for (const wake of ['wake', 'wake/a/folder']) {
      await put(`run/role-agent-wake/${wake}`, '');
      expect(await gate()).toBe('due');
      expect(await readdir(join(root, 'run/role-agent-wake'))).toEqual([]);
      await rm(join(root, 'run/role-agent/woken'));
    }
    expect(await gate()).toBe('not due');
  });

  test('that is a link leads nowhere', async () => {
    await put('etc/precious/file', '');
    await mkdir(join(root, 'run/role-agent-wake'));
    await symlink(join(root, 'etc/precious'), join(root, 'run/role-agent-wake/wake'));
    expect(await gate()).toBe('due');
    expect(await readdir(join(root, 'etc/precious'))).toEqual(['file']);
  });

  test('stays until a run has taken it', async () => {
    await run('wake', '');
    await gate();
    expect(await gate()).toBe('due');
  });

  test('during a run is another wake', async () => {
    await run('woken', '');
    await run('wake', '');
    expect(await gate()).toBe('due');
    expect(await readdir(join(root, 'run/role-agent'))).toEqual(['next-due', 'woken']);
  });
});

/** Runs the gate as systemd does; anything but 0 and 1 fails the test. */
function gate(): Promise<'due' | 'not due'> {
  return new Promise((resolve, reject) => {
    execFile(GATE, { env: { PATH: process.env['PATH'], ROLE_AGENT_ROOT: root } }, (error, stdout, stderr) => {
      const said = stdout + stderr;
      if (said !== '') reject(new Error(`the gate said: ${said}`));
      else if (error === null) resolve('due');
      else if (error.code === 1) resolve('not due');
      else reject(error);
    });
  });
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

function run(name: string, content: string): Promise<void> {
  return put(`run/role-agent/${name}`, content);
}

/** As Docker Engine 26 answers: one line, the id first, ids of other things further on. */
function dockerRuns(ids: readonly string[]): Promise<void> {
  const containers = ids.map((Id) => ({
    Id,
    Names: ['/web'],
    ImageID: `sha256:${'0'.repeat(64)}`,
    State: 'running',
  }));
  return dockerAnswers(200, `${JSON.stringify(containers)}\n`);
}

/** @param status null: takes the connection and stays silent. */
async function dockerAnswers(status: number | null, body: string): Promise<void> {
  await mkdir(join(root, 'var/run'), { recursive: true });
  const server = createServer((request, response) => {
    requests.push(decodeURIComponent(request.url ?? ''));
    if (status !== null) response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  engine = server;
  await new Promise<void>((done) => void server.listen(join(root, 'var/run/docker.sock'), done));
}
