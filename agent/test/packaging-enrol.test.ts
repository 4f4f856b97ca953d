import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ENROL = join(import.meta.dirname, '../debian/enrol');
let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'enrol-'));
});
afterEach(() => rmSync(work, { recursive: true }));

it('tries until it has worked, with pauses that grow, differ and have an end', async () => {
  const pauses = join(work, 'pauses');
  const agent = program('agent', `[ "$(wc -l <${pauses} 2>/dev/null || echo 0)" -ge 9 ]`);
  program('sleep', `echo "$1" >>${pauses}`);
  await promisify(execFile)(ENROL, { env: { PATH: `${work}:${process.env['PATH']}`, ROLE_AGENT: agent } });
  const seconds = readFileSync(pauses, 'utf8').trim().split('\n').map(Number);
  const halves = [15, 30, 60, 120, 240, 480, 480, 480, 480];
  expect(seconds).toHaveLength(halves.length);
  seconds.forEach((pause, index) => {
    const half = halves[index] ?? 0;
    expect(pause).toBeGreaterThanOrEqual(half);
    expect(pause).toBeLessThan(2 * half);
  });
  expect(new Set(seconds.slice(5)).size).toBeGreaterThan(1);
});

function program(name: string, body: string): string {
  const path = join(work, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}
