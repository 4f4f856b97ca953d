import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates, type Certificates } from './overlord/certificates.ts';
import { FakeOverlord } from './overlord/fake-overlord.ts';
import { Line } from './overlord/line.ts';

const WAKE = join(import.meta.dirname, '../debian/wake');
let folder: string;
let root: string;
let ours: Certificates;
let overlord: FakeOverlord;
let token: string;
let open: ServerResponse[];
let unit: ChildProcess | null;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-wake-'));
  ours = makeCertificates(folder, 'ours');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  overlord = await FakeOverlord.start(ours);
  token = overlord.newToken();
  open = [];
  overlord.signals = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': beat\n\n');
    open.push(response);
  };
  root = mkdtempSync(join(folder, 'root-'));
  mkdirSync(join(root, 'run/role-agent-wake'), { recursive: true });
  put('run/role-agent/overlord-ca.pem', ours.ca);
  hand(new URL(overlord.url).host, token);
  unit = null;
});
afterEach(async () => {
  kill();
  await overlord.stop();
});

function put(path: string, content: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** What a run has left for the unit. */
function hand(address: string, secret: string, { name = 'localhost', heartbeat = 120 } = {}): void {
  put('run/role-agent/signals/line', `${address}\n${name}\n${secret}\n${heartbeat}\n`);
}

/** Starts the unit's program; what comes back is how it ended. */
function start(): Promise<number | null> {
  const env = {
    PATH: `${join(root, 'bin')}:${process.env['PATH']}`,
    ROLE_AGENT_ROOT: root,
  };
  const child = spawn(WAKE, { env, detached: true, stdio: 'ignore' });
  unit = child;
  return new Promise((resolve) => void child.on('exit', (code) => resolve(code)));
}

/** Ends the unit and what it has started; there may be nothing left of it. */
function kill(): void {
  try {
    if (unit?.pid !== undefined) process.kill(-unit.pid, 'SIGKILL');
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
  }
}

const at = (name: string): string => join(root, 'run/role-agent-wake', name);
const woken = (): boolean => existsSync(at('wake'));
const why = (): string => readFileSync(at('ended'), 'utf8').trim();
const event = (id: string, data: unknown): string => `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
const send = (text: string): void => void open.at(-1)?.write(text);
const requests = (): FakeOverlord['requests'] => overlord.requests;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

describe('the stream of signals', () => {
  it('is opened with the token in the request, and in no argument of any process', async () => {
    void start();
    await until(() => open.length > 0 && existsSync(at('beat')));
    expect(requests()).toMatchObject([
      { path: '/api/v1/device/signals?heartbeat=120', headers: { authorization: `Bearer ${token}` } },
    ]);
    const commands = commandLinesOfGroup(unit?.pid ?? 0);
    expect(commands.some((line) => line.includes('s_client'))).toBe(true);
    expect(commands.filter((line) => line.includes(token))).toEqual([]);
  });

  it('says at each heartbeat when it was last alive', async () => {
    void start();
    await until(() => existsSync(at('beat')));
    writeFileSync(at('beat'), '');
    send(': beat\n\n');
    await until(() => /^\d+ 241\n$/.test(readFileSync(at('beat'), 'utf8')));
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split('.')[0]);
    expect(uptime - Number(readFileSync(at('beat'), 'utf8').split(' ')[0])).toBeLessThan(10);
    expect(woken()).toBe(false);
  });

  it.each([
    ['60', 121],
    ['0.01', 241],
    ['99999', 241],
    ['$(id)', 241],
  ])('counts as alive for two heartbeats as promised: %s', async (every, seconds) => {
    void start();
    await until(() => existsSync(at('beat')));
    send(`: every ${every}\n`);
    send(event('47', { splay: 0 }));
    await until(woken);
    expect(readFileSync(at('beat'), 'utf8')).toMatch(new RegExp(`^\\d+ ${seconds}\n$`));
  });

  it('is no longer alive once it has ended', async () => {
    const ended = start();
    await until(() => existsSync(at('beat')));
    open.at(-1)?.end();
    expect(await ended).toBe(0);
    expect(why()).toBe('the stream ended');
    expect(existsSync(at('beat'))).toBe(false);
  });
});

describe('a signal', () => {
  beforeEach(async () => {
    void start();
    await until(() => existsSync(at('beat')));
  });

  it('without a splay touches the flag at once', async () => {
    send(event('41', { id: '41', reason: 'order', splay: 0 }));
    await until(woken);
    expect(statSync(at('wake')).size).toBe(0);
  });

  it('is remembered once the flag is touched, and asked for no more', async () => {
    send(event('42', { id: '42', reason: 'order', splay: 0 }));
    await until(() => existsSync(at('last-event-id')));
    kill();
    rmSync(at('tries'));
    void start();
    await until(() => requests().length === 2);
    expect(requests()[1]?.headers['last-event-id']).toBe('42');
  });

  it('that waits for its pause is not remembered yet: whatever happens, it comes again', async () => {
    send(event('43', { id: '43', reason: 'release', splay: 3600 }));
    send(event('44', { id: '44', reason: 'release', splay: 3600 }));
    await pause(300);
    expect(readdirSync(join(root, 'run/role-agent-wake'))).not.toContain('last-event-id');
    send(event('45', { id: '45', reason: 'order', splay: 0 }));
    await until(woken);
  });

  it.each([
    ['a substitution', '$(touch pwned)'],
    ['a quote', '"; touch pwned; "'],
    ['backticks', '`touch pwned`'],
    ['a splay with a command', '{"splay":"1; touch pwned"}'],
    ['a splay that is no number of ours', '{"splay":99999999999999999999}'],
    ['a splay below zero', '{"splay":-5}'],
    ['an octal splay', '{"splay":08}'],
    ['control characters', '\0\u001b[2J'],
    ['a very long line', 'x'.repeat(100_000)],
  ])('that is %s at most starts a run', async (_, data) => {
    send(`id: ../../etc/passwd\ndata: ${data}\n\n`);
    send(event('46', { splay: 0 }));
    await until(woken);
    const known = new Set(['beat', 'last-event-id', 'opened', 'stream', 'tries', 'wake']);
    expect(readdirSync(join(root, 'run/role-agent-wake')).filter((name) => !known.has(name))).toEqual([]);
    await until(() => existsSync(at('last-event-id')));
    expect(readFileSync(at('last-event-id'), 'utf8')).toBe('46\n');
  });
});

describe('the unit ends', () => {
  it('when the line is dead without saying so', async () => {
    const line = await Line.to(overlord);
    hand(`localhost:${line.port}`, token, { heartbeat: 1 });
    const ended = start();
    await until(() => open.length > 0);
    line.freeze();
    expect(await ended).toBe(0);
    await line.close();
  });

  it('when its role has no signals any more', async () => {
    const ended = start();
    await until(() => existsSync(at('beat')));
    rmSync(join(root, 'run/role-agent/signals/line'));
    send(': beat\n\n');
    expect(await ended).toBe(0);
  });

  it('when there is a new token', async () => {
    const ended = start();
    await until(() => existsSync(at('beat')));
    hand(new URL(overlord.url).host, overlord.newToken());
    send(': beat\n\n');
    expect(await ended).toBe(0);
  });

  it('when the overlord is not the one that is pinned, and then it has shown nobody its token', async () => {
    put('run/role-agent/overlord-ca.pem', makeCertificates(folder, 'theirs').ca);
    expect(await start()).toBe(0);
    expect(why()).toContain('not to the overlord that is pinned');
    expect(requests()).toEqual([]);
  });

  it('when the certificate is for another name', async () => {
    hand(new URL(overlord.url).host, token, { name: 'other.example.org' });
    expect(await start()).toBe(0);
    expect(requests()).toEqual([]);
  });

  it('when nobody is there', async () => {
    await overlord.stop();
    expect(await start()).toBe(0);
    overlord = await FakeOverlord.start(ours);
  });

  it('when its token is over, and has a run get a new one', async () => {
    overlord.tokens.clear();
    withoutPauses();
    expect(await start()).toBe(0);
    expect(why()).toBe('HTTP 401');
    expect(woken()).toBe(true);
  });
});

it('comes back after pauses that grow, and begins anew with the first heartbeat', async () => {
  const pauses = withoutPauses();
  overlord.tokens.clear();
  overlord.signals = (_, response) => response.writeHead(200).end(': beat\n\n');
  await overlord.stop();
  for (let n = 0; n < 7; n += 1) await start();
  expect(readFileSync(at('tries'), 'utf8')).toBe('5\n');
  const seconds = readFileSync(pauses, 'utf8').trim().split('\n').map(Number);
  const limits = [60, 120, 240, 480, 960, 960];
  const waits = seconds.filter((one) => one !== WATCH);
  expect(waits).toHaveLength(limits.length);
  waits.forEach((wait, index) => expect(wait).toBeLessThan(limits[index] ?? 0));
  overlord = await FakeOverlord.start(ours);
  hand(new URL(overlord.url).host, overlord.newToken());
  overlord.signals = (_, response) => response.writeHead(200).end(': beat\n\n');
  await start();
  expect(readFileSync(at('tries'), 'utf8')).toBe('0\n');
}, 60_000);

/** What the watch of the heartbeat sleeps at a time, of 241 s. */
const WATCH = 49;

/** Puts a `sleep` before the real one that only writes down how long it should have been; the watch sleeps on. */
function withoutPauses(): string {
  const pauses = join(root, 'pauses');
  put('bin/sleep', `#!/bin/sh\necho "$1" >>${pauses}\n[ "$1" -ne ${WATCH} ] || exec /bin/sleep "$1"\n`);
  execFileSync('chmod', ['755', join(root, 'bin/sleep')]);
  return pauses;
}

function commandLinesOfGroup(group: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const own = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === group;
        return own ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
      } catch {
        return [];
      }
    });
}
