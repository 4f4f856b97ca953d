import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../shell.ts';
import { run } from './mini-clone.ts';

it('a fresh clone becomes a working command with real packages and the real compiler', async () => {
  const clone = await mkdtemp(join(tmpdir(), 'fleet-fresh-'));
  try {
    const tracked = await run(['git', '-C', ROOT, 'ls-files', '-z']);
    for (const path of tracked.stdout.split('\0').filter(Boolean)) {
      // What is deleted but not yet committed is still listed.
      await cp(join(ROOT, path), join(clone, path)).catch(() => undefined);
    }
    const { code, stdout, stderr } = await run([
      join(clone, 'fleet'),
      'test',
      '--list-packages',
      'static',
      'unit',
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^git$/m);
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}, 180_000);
