import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildOverlord, RunningOverlord } from './running-overlord.ts';

let overlord: RunningOverlord;

beforeAll(async () => {
  await buildOverlord();
  overlord = await RunningOverlord.start();
}, 120_000);
afterAll(() => overlord.remove(), 60_000);

it('refuses a second overlord on the same data, and leaves the first alone', async () => {
  const second = RunningOverlord.start('--data', overlord.data);
  await expect(second).rejects.toThrow(/Another overlord, process \d+, uses/);
  expect((await overlord.call('readyz')).body).toMatchObject({ ok: true });
}, 60_000);

it('stops its database with it on SIGTERM', async () => {
  const file = await readFile(join(overlord.data, 'postgres/cluster/postmaster.pid'), 'utf8');
  const pid = Number(file.split('\n')[0]);
  expect(await overlord.end('SIGTERM')).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
}, 60_000);
