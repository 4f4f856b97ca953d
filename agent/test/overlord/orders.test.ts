import type { Order } from '@metrica-fleet/protocol/api';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { redact } from '../../src/act/orders/collect-logs.ts';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import { journalText, observeJournal } from '../../src/observe/journal.ts';
import type { Moment } from '../../src/ports/clock.ts';
import type { Container, Engine } from '../../src/ports/engine.ts';
import type { Command } from '../../src/ports/exec.ts';
import { realNetwork } from '../../src/ports/real/network.ts';
import { reportId } from '../../src/report/outbox.ts';
import { run } from '../../src/run.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { FakeOverlord } from './fake-overlord.ts';
import { joinFleet, put, type Joined } from './joined.ts';

let folder: string;
let ours: Certificates;
let overlord: FakeOverlord;
let device: Joined;
let done: string[];
let boot: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-orders-'));
  ours = makeCertificates(folder, 'ours');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  overlord = await FakeOverlord.start(ours);
  device = joinFleet(overlord, ours.ca);
  done = [];
  boot = 'first-boot';
});
afterEach(async () => {
  device.clear();
  await overlord.stop();
});

const SOON = '2999-01-01T00:00:00Z';
const idOf = (name: string): string => reportId('test', name);

/** The overlord gives these orders once, with the next check-in. */
function give(...orders: (Pick<Order, 'kind'> & Partial<Order>)[]): void {
  let given = false;
  overlord.answer = () => {
    if (given) return {};
    given = true;
    return { orders: orders.map((order) => ({ id: idOf(order.kind), expires: SOON, ...order })) };
  };
}

/** A run that a signal has started, on a device whose role has one service. */
async function runOnce(over: { readonly restart?: () => Promise<void> } = {}): Promise<void> {
  const process = device.again();
  const { context, config } = process;
  const { clock, exec } = context.ports;
  const engine = {
    containers: () => Promise.resolve([CONTAINER]),
    restart: (_: string, project: string, services: readonly string[]) => {
      done.push(`restart ${project}/${services.join()}`);
      return over.restart?.() ?? Promise.resolve();
    },
    projects: () => Promise.resolve(['web', 'common']),
    down: (_: string, project: string) => {
      done.push(`down ${project}`);
      return Promise.resolve();
    },
    logs: () => Promise.resolve('listening on :80\nmqtt password=hunter2'),
  } as unknown as Engine;
  const ports = {
    ...context.ports,
    engine,
    network: realNetwork(),
    clock: { ...clock, now: (): Moment => ({ ...clock.now(), boot }) },
    exec: {
      run: (command: Command) => {
        if (!['systemctl', 'journalctl'].includes(command.argv[0])) return exec.run(command);
        done.push(command.argv.join(' ').slice(0, 60));
        return Promise.resolve({ code: 0, stdout: Buffer.from('a line of the agent\n'), stderr: '' });
      },
    },
  };
  const all = { ...context, ports, config, sources: process.sources(), budget: 1_000 } as unknown as Context;
  await run(all, { insist: false, eager: true });
}

const CONTAINER: Container = {
  id: 'c1',
  service: 'page',
  image: 'nginx:1',
  state: 'running',
  health: null,
  exitCode: 0,
  restarts: 0,
  inputs: 'i1',
  mounts: [],
};
const DIGEST = 'd'.repeat(64);
const WANTED = { role: 'web', commit: 'c'.repeat(40), digest: DIGEST };

function remember(journal: Partial<Journal>): void {
  const { paths } = device.context;
  const current: Journal['current'] = {
    key: 'k1',
    release: WANTED,
    variables: {},
    services: { page: { inputs: 'i1', oneShot: false } },
    images: [],
    interval: 300,
  };
  put(join(paths.releases, DIGEST, 'role.yaml'), 'name: web\n');
  put(paths.journal, journalText({ ...EMPTY_JOURNAL, current, ...journal }));
}

const acknowledged = (): string[] =>
  [...overlord.reports.values()]
    .filter(({ kind }) => kind === 'order')
    .map(({ ok, detail }) => `${ok === true ? 'done' : 'not done'}, ${detail}`);

describe('an order', () => {
  beforeEach(async () => {
    remember({});
    const { disk } = device.context.ports;
    await disk.link(
      'test.current',
      device.context.paths.current,
      join(device.context.paths.releases, DIGEST),
    );
  });

  it('to run is what started the run, and is acknowledged at its end', async () => {
    give({ kind: 'run' });
    await runOnce();
    expect(acknowledged()).toEqual(['done, run: this is the run']);
  });

  it('to restart a service restarts that one', async () => {
    give({ kind: 'restart-service', service: 'page' });
    await runOnce();
    expect(done).toEqual(['restart web/page']);
    expect(acknowledged()).toEqual(['done, restart-service: restarted page']);
  });

  it.each(['other', undefined])('to restart %s, which is not here, says what is', async (service) => {
    give({ kind: 'restart-service', ...(service === undefined ? {} : { service }) });
    await runOnce();
    expect(done).toEqual([]);
    expect(acknowledged()).toEqual([
      `not done, restart-service: there is no service «${service ?? ''}»; here are page`,
    ]);
  });

  it('that cannot be carried out says why', async () => {
    give({ kind: 'restart-service', service: 'page' });
    await runOnce({ restart: () => Promise.reject(new Error('the engine is gone')) });
    expect(acknowledged()).toEqual([expect.stringContaining('not done, restart-service: Unexpected error')]);
  });

  it('to collect logs sends the last lines of agent and services, without secrets', async () => {
    give({ kind: 'collect-logs' });
    await runOnce();
    const report = overlord.reports.get(reportId('order', idOf('collect-logs')));
    expect(report?.log).toBe('--- agent\na line of the agent\n--- page\nlistening on :80\nmqtt password=…');
  });

  it('that is over is refused', async () => {
    give({ kind: 'reboot', expires: '2020-01-01T00:00:00Z' });
    await runOnce();
    expect(done).toEqual([]);
    expect(acknowledged()).toEqual([
      'not done, reboot: it came too late, it was good until 2020-01-01T00:00:00Z',
    ]);
  });

  it('for safe mode stops the stack, says why on the page, and holds until a redeploy', async () => {
    give({ kind: 'safe-mode' });
    await runOnce();
    expect(acknowledged()).toEqual(['done, safe-mode: the stack is stopped; a redeploy ends it']);
    expect(done).toContain('down web');
    expect(done).not.toContain('down common');
    expect(done).toContain('systemctl start role-agent-safe-mode.service');
    const { ports, paths } = device.context;
    expect(JSON.parse((await ports.disk.readText(paths.run.safeMode)) ?? '')).toMatchObject({
      by: 'order',
      role: 'web',
      problem: { code: 'safe-mode-ordered' },
      log: expect.stringContaining('--- page') as string,
    });
  });

  it('to reboot is carried out last, and acknowledged once the device is up again', async () => {
    give({ kind: 'reboot' }, { kind: 'run' });
    await runOnce();
    expect(done).toEqual(['systemctl --no-block reboot']);
    expect(acknowledged()).toEqual(['done, run: this is the run']);
    boot = 'second-boot';
    await runOnce();
    expect(done).toHaveLength(1);
    expect(acknowledged()).toContain('done, reboot: the device has rebooted');
  });

  it('to reboot that did not come to pass is said to have failed', async () => {
    give({ kind: 'reboot' });
    await runOnce();
    await runOnce();
    expect(acknowledged()).toEqual(['not done, reboot: the device was told to, and is still up']);
  });

  it('is carried out once, however often it is given', async () => {
    const order = { id: idOf('again'), kind: 'restart-service', service: 'page', expires: SOON } as const;
    overlord.answer = () => ({ orders: [order] });
    await runOnce();
    await runOnce();
    expect(done).toEqual(['restart web/page']);
    expect(acknowledged()).toHaveLength(1);
  });

  it('is not begun again when the run died while it was at it, and that is said', async () => {
    give({ kind: 'restart-service', service: 'page' });
    // What the process was doing when it was killed never comes to an end.
    await Promise.race([
      runOnce({ restart: () => new Promise(() => undefined) }),
      until(() => done.length > 0),
    ]);
    await runOnce();
    expect(done).toEqual(['restart web/page']);
    expect(acknowledged()).toEqual(['not done, restart-service: the run was interrupted while it was at it']);
  });
});

describe('an order to redeploy', () => {
  const desired = {
    schemaVersion: 1,
    ...WANTED,
    source: 'somewhere',
    position: 'p',
    tree: DIGEST,
    layers: [],
  } as const;
  const problem = { code: 'health-failed', what: 'It crashed' } as const;

  it('lifts the quarantine of what is wanted, and of nothing else', async () => {
    const { heed } = await import('../../src/decide/heed.ts');
    const { wantedKey } = await import('../../src/decide/wanted.ts');
    const entry = { role: 'web', commit: WANTED.commit, problem, at: SOON };
    const other = { ...entry, key: 'another' };
    const journal = { ...EMPTY_JOURNAL, quarantine: [{ ...entry, key: wantedKey(desired) }, other] };
    const seen = heed(journal, { insist: false, redeploy: true }, desired);
    expect(seen.quarantine).toEqual([other]);
    expect(heed(journal, { insist: true, redeploy: false }, desired).quarantine).toHaveLength(2);
  });

  it('says that nothing is wanted where nothing is', async () => {
    give({ kind: 'redeploy' });
    await runOnce();
    expect(acknowledged()).toEqual(['done, redeploy: nothing is wanted of this device']);
    expect((await observeJournal(device.context.ports.disk, device.context.paths)).origin).toBe('new');
  });
});

it.each([
  ['Authorization: Bearer abc.def', 'Authorization: Bearer …'],
  ['postgres://app:s3cret@db/app', 'postgres://app:…@db/app'],
  ['{"api_key": "k-123", "port": 80}', '{"api_key": "…", "port": 80}'],
  ['token=eyJhbGciOiJIUzI1NiJ9.e30.abc', 'token=…'],
  ['started in 12 ms', 'started in 12 ms'],
])('the log line %j travels as %j', (line, travels) => {
  expect(redact(line)).toBe(travels);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
