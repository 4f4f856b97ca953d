import { StatusSchema } from '@metrica-fleet/protocol';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Check } from 'typebox/schema';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderSafeMode } from '../../src/commands/safe-mode.ts';
import { observeSafeMode } from '../../src/observe/safe-mode.ts';
import { pathsUnder, type Paths } from '../../src/paths.ts';
import { realDisk } from '../../src/ports/real/disk.ts';
import { realExec } from '../../src/ports/real/exec.ts';
import { realNetwork } from '../../src/ports/real/network.ts';

const REASON = {
  ...{
    schemaVersion: 1,
    device: 'pi',
    role: null,
    commit: null,
    since: '2026-11-24T04:00:00Z',
    by: 'crashes',
  },
  ...{ problem: { code: 'agent-bug', what: 'Five runs in a row ended with a crash' }, log: '' },
};

let root: string;
let paths: Paths;
const see = (addresses: readonly string[] = ['192.168.1.7', '2001:db8::7']) =>
  observeSafeMode(
    { disk: realDisk(realExec()), network: { ...realNetwork(), addresses: () => addresses } },
    paths,
  );
async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'safe-mode-'));
  paths = pathsUnder(root);
  await write(paths.run.safeMode, JSON.stringify(REASON));
});
afterEach(() => rm(root, { recursive: true }));

describe('what the status tells of safe mode', () => {
  it('is nothing where the device is not in it', async () => {
    await rm(paths.run.safeMode);
    expect(await see()).toBeNull();
    expect(renderSafeMode(await see())).toContain('not in safe mode');
  });

  it('is why, since when, the code, and the page at the port that it turned out to have', async () => {
    await write(paths.run.safeModeCode, 'ABCD2345');
    await write(paths.run.safeModePort, '80\n');
    await write(paths.run.safeModePagePort, '8800\n');
    const seen = await see();
    expect(seen).toEqual({
      reason: 'Five runs in a row ended with a crash',
      since: '2026-11-24T04:00:00Z',
      code: 'ABCD2345',
      address: 'http://192.168.1.7:8800/',
    });
    expect(renderSafeMode(seen)).toMatch(/Five runs[^]*192\.168\.1\.7:8800[^]*ABCD2345/);
  });

  it('is a status that an overlord takes, whatever stands in the files', async () => {
    await write(paths.run.safeMode, JSON.stringify({ ...REASON, since: 'yesterday' }));
    await write(paths.run.safeModeCode, '<script>');
    await write(paths.run.safeModePort, '99999');
    await write(paths.run.safeModePagePort, 'evil.example');
    const seen = await see();
    expect(seen).toMatchObject({ since: null, code: null, address: 'http://192.168.1.7/' });
    expect(Check(StatusSchema.properties.safeMode, seen)).toBe(true);
    expect(Check(StatusSchema.properties.safeMode, await see(['2001:db8::7']))).toBe(true);
    expect(await see([])).toMatchObject({ address: null });
  });
});
