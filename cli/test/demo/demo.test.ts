import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isConverged, othersOf } from '../../src/demo/convergence.ts';
import { hintsOf, invitation } from '../../src/demo/hints.ts';
import { makePlace } from '../../src/demo/place.ts';
import { groupsOf } from '../../src/demo/sample-fleet.ts';
import { fleet } from '../shell.ts';

const COMMIT = 'abcdef0123456789abcdef0123456789abcdef01';
const device = {
  id: '',
  name: 'pi-0001',
  membership: 'active',
  state: 'healthy',
  role: 'door-sign',
  site: null,
  segment: 'general',
  running: COMMIT,
  wanted: COMMIT,
  problem: null,
  lastSeenAt: null,
  agentVersion: null,
} as const;

describe('a wrong command line', () => {
  it.each([
    ['--devices', '0'],
    ['--devices', '-1'],
    ['--devices', '1e9'],
    ['--devices', 'abc'],
    ['--timeout', '0'],
    ['--timeout', '1.5'],
    ['--port', '65536'],
  ])('is told once: %s %s', async (option, value) => {
    const { exit, stdout, stderr } = await fleet(['demo', option, value]);
    expect({ exit, stdout }).toEqual({ exit: 64, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^error: option '${option} .* It takes a whole number from 1 to `));
  });

  it('says how to get at a port that is free', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { exit, stderr } = await fleet(['demo', '--port', String(port)]);
    server.close();
    expect(exit).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^fleet: The port ${port} is taken\n.*\n  try: .*\\./fleet demo --port \\d+`),
    );
  });

  it('says that nothing runs which could be cut off', async () => {
    const { exit, stderr } = await fleet(['demo', 'cut', 'pi-0003', '--port', '1']);
    expect(exit).toBe(1);
    expect(stderr).toContain('No demo of this clone runs on port 1');
  });
});

describe('a folder for the demo', () => {
  it('is not touched when there is something in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleet-place-'));
    writeFileSync(join(folder, 'mine'), '');
    await expect(makePlace(folder)).rejects.toThrow('The folder for the demo is not empty');
    rmSync(folder, { recursive: true });
  });
});

describe('a device has converged', () => {
  it('when it is healthy on what it should have', () => {
    expect(isConverged(device)).toBe(true);
  });

  it.each([
    ['something else is wanted', { wanted: 'f'.repeat(40) }],
    ['nothing is wanted yet', { wanted: null }],
    ['it is not healthy', { state: 'updating' }],
  ] as const)('not when %s', (_why, change) => {
    expect(isConverged({ ...device, ...change })).toBe(false);
  });

  it('is counted by what it is instead', () => {
    const counts = {
      conflict: 0,
      failed: 1,
      offline: 0,
      degraded: 0,
      updating: 3,
      held: 0,
      pending: 2,
      healthy: 9,
    };
    expect(othersOf(counts)).toBe('1 failed, 3 updating, 2 pending');
  });
});

describe('what there is to try', () => {
  const stage = {
    url: '',
    signIn: { name: '', password: '' },
    repo: '/tmp/it’s/repo',
    fleet: '/a b/fleet',
    sudo: false,
  };

  it('is quoted for a shell, and says which demo is meant', () => {
    const commands = hintsOf({ ...stage, port: 9000, groups: groupsOf(24) }).map(({ command }) => command);
    expect(commands[0]).toMatch(/^cd '\/tmp\/it’s\/repo' && /);
    expect(commands[3]).toBe("'/a b/fleet' demo cut pi-0003 --port 9000");
  });

  it('is for root where sudo was used', () => {
    const screen = (sudo: boolean): string => invitation({ ...stage, sudo, port: 8080, groups: groupsOf(1) });
    expect(screen(true)).toContain('in another terminal, as root (sudo -i):');
    expect(screen(false)).toContain('in another terminal:');
  });

  it('is about devices and roles that there are', () => {
    const commands = hintsOf({ ...stage, port: 8080, groups: groupsOf(1) }).map(({ command }) => command);
    expect(commands[1]).toContain('roles/menu-board/compose.yaml');
    expect(commands[3]).toBe("'/a b/fleet' demo cut pi-0001");
  });
});
