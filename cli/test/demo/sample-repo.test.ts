import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROLES } from '../../src/demo/sample-fleet.ts';
import { makeSampleRepo } from '../../src/demo/sample-repo.ts';
import { fleet, ROOT } from '../shell.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-sample-'));
  path = join(folder, 'fleet repo');
  await makeSampleRepo({ root: ROOT, path, interval: 10 });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('is a Git repo whose work tree is committed', () => {
  const git = (...args: string[]): string => execFileSync('git', ['-C', path, ...args], { encoding: 'utf8' });
  expect(git('status', '--porcelain')).toBe('');
  expect(git('rev-parse', '--abbrev-ref', 'HEAD').trim()).toBe('main');
});

it('has roles that the lint has nothing to say about', async () => {
  const roles = ROLES.map(({ name }) => join(path, 'roles', name));
  for (const role of roles) {
    expect((await fleet(['role', 'lint', role])).stderr).toContain('1 role, 0 errors, 0 warnings');
  }
  expect(readdirSync(join(path, 'roles')).sort()).toEqual(ROLES.map(({ name }) => name).sort());
});
