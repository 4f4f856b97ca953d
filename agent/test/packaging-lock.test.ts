import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const WRAPPER = join(import.meta.dirname, '../debian/role-agent.sh');

/** Prints its arguments. `HOLD` makes it start a child that outlives it, print both ids, and stay. */
const BUNDLE = `
const { spawn } = require('node:child_process');
if (!process.env.HOLD) console.log(JSON.stringify(process.argv.slice(2).concat(process.env.ROLE_AGENT_WOKEN ?? [])));
else {
  const child = spawn('sleep', ['60'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ignore'] });
  console.log(JSON.stringify([process.pid, child.pid]));
  setInterval(() => {}, 1000);
}`;

let root: string;
const started: number[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lock-'));
  await mkdir(join(root, 'usr/lib/role-agent'), { recursive: true });
  await writeFile(join(root, 'usr/lib/role-agent/role-agent.cjs'), BUNDLE);
});

afterEach(async () => {
  for (const pid of started.splice(0)) kill(pid);
  await rm(root, { recursive: true });
});

test('the lock dies with Node, not with the children that Node leaves behind', async () => {
  const [agent, child] = await hold();
  expect(await roleAgent('run')).toMatchObject({ code: 75, stdout: '' });
  kill(agent);
  await expect.poll(() => roleAgent('run')).toMatchObject({ code: 0, stdout: '["run"]\n' });
  expect(isAlive(child)).toBe(true);
});

test('a person hears why nothing was done, the journal does not', async () => {
  await hold();
  expect((await roleAgent('run')).stderr).toBe(
    'role-agent: another run is going on; nothing done. See: role-agent status\n',
  );
  expect(await roleAgent('run', '--unit')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a pull goes on beside a run, but not beside a pull', async () => {
  await hold();
  expect(await roleAgent('pull')).toMatchObject({ code: 0, stdout: '["pull"]\n' });
  await hold('pull');
  expect(await roleAgent('pull', '--unit')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('other commands need no lock and get their arguments as they are', async () => {
  await hold();
  expect(await roleAgent('status', '--json', 'a b')).toMatchObject({
    code: 0,
    stdout: '["status","--json","a b"]\n',
  });
  expect(await roleAgent()).toMatchObject({ code: 0, stdout: '[]\n' });
});

test('a run takes the wake and leaves itself due until it names the next one', async () => {
  const run = join(root, 'run/role-agent');
  await mkdir(run, { recursive: true });
  await Promise.all(['woken', 'next-due', 'expected'].map((name) => writeFile(join(run, name), '2000')));
  expect(await roleAgent('run', '--unit')).toMatchObject({ code: 0, stdout: '["run","yes"]\n' });
  expect(await readdir(run)).toEqual(['expected', 'lock']);
  expect(await roleAgent('run', '--unit')).toMatchObject({ code: 0, stdout: '["run"]\n' });
});

test('an enrolment waits for no run, and a try beside another does not count', async () => {
  await hold();
  expect(await roleAgent('enrol', '--unit')).toMatchObject({ code: 0, stdout: '["enrol"]\n' });
  await hold('enrol');
  expect(await roleAgent('enrol', '--unit')).toMatchObject({ code: 75, stdout: '' });
});

test('a run that finds another leaves its wake alone', async () => {
  await hold();
  await writeFile(join(root, 'run/role-agent/woken'), '');
  await roleAgent('run', '--unit');
  expect(await readdir(join(root, 'run/role-agent'))).toEqual(['lock', 'woken']);
});

/** Starts a run (or pull) that keeps its lock; returns the ids of Node and of its child. */
async function hold(command = 'run'): Promise<readonly [number, number]> {
  const child = start([command], { HOLD: '1' });
  const [line] = await once(child.stdout ?? child, 'data');
  const [agent = 0, grandchild = 0]: number[] = JSON.parse(String(line));
  started.push(agent, grandchild);
  // The wrapper has become Node: there is no shell that could outlive it.
  expect(agent).toBe(child.pid);
  expect(await readFile(`/proc/${agent}/cmdline`, 'utf8')).toContain('role-agent.cjs');
  return [agent, grandchild];
}

async function roleAgent(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(args, {});
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(WRAPPER, args, {
    env: { PATH: process.env['PATH'], ROLE_AGENT_ROOT: root, ROLE_AGENT_NODE: process.execPath, ...env },
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
