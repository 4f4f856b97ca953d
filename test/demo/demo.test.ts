import { MESSAGES, ROUTES, type DeviceSummary, type RolloutSummary } from '@metrica-fleet/protocol/api';
import { parse } from '@metrica-fleet/protocol';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetProgram, freePort } from '../browser/fleet-program.ts';

const FLEET = join(import.meta.dirname, '../../fleet');
const execute = promisify(execFile);
const DEVICES = 8;

let port: number;
let demo: FleetProgram;
/** The commands that it printed, by the first word of what it says about them. */
let commands: ReadonlyMap<string, string>;
let repo: string;
let cookie: string;
let converged: readonly DeviceSummary[];
/** Commits of what was tried. */
let broken: string;
let pushed: string;
let mended: string;

beforeAll(async () => {
  port = await freePort();
  demo = new FleetProgram(['demo', '--devices', String(DEVICES), '--port', String(port)]);
  const [screen] = await demo.says(/Look at it[^]*Ctrl-C ends everything/);
  commands = new Map(
    [...screen.matchAll(/^ {2}(?:and )?(\w+).*:\n {4}(.+)$/gm)].map(([, word = '', command = '']) => [
      word,
      command,
    ]),
  );
  [, repo = ''] = /cd (\S+)/.exec(screen) ?? [];
  cookie = await signIn(screen);
  converged = await allDevices();
  broken = await run('Break');
  pushed = await run('Push');
  await run('Cut');
});
afterAll(async () => {
  await demo?.stop();
});

/** As the person who reads the screen. */
async function signIn(screen: string): Promise<string> {
  const [, url = '', name = '', password = ''] =
    /(http:\S+)\n\s+name\s+(\S+)\n\s+password\s+(\S+)/.exec(screen) ?? [];
  expect(await (await fetch(url)).text()).toContain('<!doctype html>');
  const answer = await fetch(new URL(ROUTES.signIn.path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  expect(answer.status).toBe(200);
  return answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}

async function ask(name: 'listDevices' | 'listRollouts'): Promise<unknown> {
  const answer = await fetch(new URL(ROUTES[name].path, `http://127.0.0.1:${port}`), { headers: { cookie } });
  return answer.json();
}

async function allDevices(): Promise<readonly DeviceSummary[]> {
  const answer = await ask('listDevices');
  return parse(MESSAGES.listDevices.reply, answer, { where: 'devices' }).items;
}

async function devicesOf(wanted: string): Promise<readonly DeviceSummary[]> {
  return (await allDevices()).filter(({ role }) => role === wanted);
}

async function allRollouts(): Promise<readonly RolloutSummary[]> {
  const answer = await ask('listRollouts');
  return parse(MESSAGES.listRollouts.reply, answer, { where: 'rollouts' }).items;
}

/**
 * Runs a printed command as it stands, as somebody does who has no settings for Git and is somewhere else. Returns the
 * commit that the repo is at then.
 */
async function run(word: string): Promise<string> {
  const { PATH = '' } = process.env;
  await execute('sh', ['-c', commands.get(word) ?? 'false'], {
    cwd: tmpdir(),
    env: { PATH, HOME: '/nonexistent' },
  });
  return (await execute('git', ['-C', repo, 'rev-parse', 'HEAD'])).stdout.trim();
}

/** `./fleet demo …` to its end. */
async function ends(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await execute(FLEET, ['demo', ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (thrown: { code: number; stdout: string; stderr: string }) => thrown,
  );
}

/** Asks until it is so; a test that waits in vain runs into its own limit. */
async function until<T>(get: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await get();
    if (good(value)) return value;
    await sleep(250);
  }
}

const rolloutOf = (commit: string, state: RolloutSummary['state']) =>
  until(allRollouts, (rollouts) => rollouts.some((one) => one.commit === commit && one.state === state));

/** Command lines of this machine's processes that have this in them. */
function processesWith(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}

const EXILE = 'pi-0003';

it('says that all have converged once the overlord says so', () => {
  expect(converged).toHaveLength(DEVICES);
  for (const { state, running, wanted } of converged) {
    expect({ state, running }).toEqual({ state: 'healthy', running: wanted });
  }
});

it('tells that the port is taken, and how to take another', async () => {
  const { code, stdout, stderr } = await ends('--port', String(port));
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/The port \d+ is taken[^]*try: .* --port \d+/);
});

describe('a printed command', () => {
  it('breaks a release: its rollout halts, and who took it is back on the former one', async () => {
    await rolloutOf(broken, 'halted');
    const former = converged.find(({ role }) => role === 'door-sign')?.running;
    const devices = await until(
      () => devicesOf('door-sign'),
      (all) => all.every(({ state }) => state === 'healthy'),
    );
    expect(new Set(devices.map(({ running }) => running))).toEqual(new Set([former]));
    await demo.says(new RegExp(`door-sign ${broken.slice(0, 7)} IS HALTED`));
    await demo.says(/pi-\d+ went back to door-sign@/);
    // Others are still on their way; whether it helps is looked at below.
    mended = await run('mend');
  });

  it('pushes a change to all devices of the role that are there', async () => {
    await rolloutOf(pushed, 'done');
    const devices = (await devicesOf('menu-board')).filter(({ name }) => name !== EXILE);
    expect(devices.map(({ state, running }) => `${state} ${running}`)).toEqual(
      devices.map(() => `healthy ${pushed}`),
    );
    await demo.says(new RegExp(`menu-board ${pushed.slice(0, 7)} has reached everybody`));
  });

  it('cuts a device off until another puts it back, and it catches up', async () => {
    const exile = async () => (await allDevices()).find(({ name }) => name === EXILE);
    expect(await until(exile, (device) => device?.state === 'offline')).not.toMatchObject({
      running: pushed,
    });
    await run('put');
    await until(exile, (device) => device?.state === 'healthy' && device.running === pushed);
    await demo.says(new RegExp(`${EXILE} is no longer offline`));
  });

  it('mends what was broken', async () => {
    await rolloutOf(mended, 'done');
    for (const { state, running } of await devicesOf('door-sign')) {
      expect({ state, running }).toEqual({ state: 'healthy', running: mended });
    }
  });
});

it('leaves nothing behind when it is stopped, and the next one can start at once', async () => {
  const folder = dirname(repo);
  expect(processesWith(folder).length).toBeGreaterThanOrEqual(3);
  expect(await demo.stop()).toBe(0);
  expect(processesWith(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);

  const kept = await mkdtemp(join(tmpdir(), 'fleet-kept-'));
  const few = ['--devices', '3', '--exit-when-converged', '--json'];
  const [good, late] = await Promise.all([
    ends(...few, '--port', String(port)),
    ends(...few, '--port', String(await freePort()), '--timeout', '1', '--data', kept),
  ]);
  expect(good.code).toBe(0);
  expect(good.stdout).toMatch(/^\{"schemaVersion":1,"devices":3,"converged":3,"seconds":[\d.]+\}\n$/);
  expect(late.code).toBe(7);
  expect(late.stdout).toMatch(/^\{"schemaVersion":1,"devices":3,"converged":0,"seconds":[\d.]+\}\n$/);
  expect(late.stderr).toContain('0 of 3 have converged within 1 s');
  expect(await readdir(kept)).toEqual(
    expect.arrayContaining(['fleet-repo', 'overlord.log', 'simulator.log']),
  );
  await rm(kept, { recursive: true });
});
