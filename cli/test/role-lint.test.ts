import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit.ts';
import { fleet, ROOT } from './shell.ts';

let repo: string;
beforeEach(async () => {
  repo = await mkdtemp(join(tmpdir(), 'fleet-repo-'));
  await mkdir(join(repo, 'roles/web'), { recursive: true });
  await writeFile(join(repo, 'roles/web/role.yaml'), 'name: web\n');
  await compose('image: busybox:1.36.1\n    mem_limit: 16m\n    restart: unless-stopped');
});
afterEach(async () => {
  await rm(repo, { recursive: true, force: true });
});

/** Writes the compose file of the role, with one service. */
async function compose(service: string): Promise<void> {
  await writeFile(join(repo, 'roles/web/compose.yaml'), `services:\n  web:\n    ${service}\n`);
}

describe('a good role', () => {
  it('has no errors', async () => {
    const { exit, stderr } = await fleet(['role', 'lint'], repo);
    expect(exit).toBe(EXIT.done);
    expect(stderr).toMatch(/^1 role, 0 errors, /);
  });

  it('is the template, too', async () => {
    await cp(join(ROOT, 'templates/role'), join(repo, 'roles/hello'), { recursive: true });
    const { exit, stdout } = await fleet(['role', 'lint', 'hello'], repo);
    expect({ exit, stdout }).toEqual({ exit: EXIT.done, stdout: '' });
  });
});

describe('a bad role', () => {
  it('ends with 6 and says file, line and remedy', async () => {
    await compose('build: .');
    const { exit, stdout } = await fleet(['role', 'lint'], repo);
    expect(exit).toBe(EXIT.gateFailed);
    expect(stdout).toMatch(/^roles\/web\/compose\.yaml:3: error: .*build.*image.*\[no-build\]$/m);
  });

  it('is one line of versioned JSON on request', async () => {
    await compose('build: .');
    const { exit, stdout } = await fleet(['role', 'lint', 'web', '--json'], repo);
    expect(exit).toBe(EXIT.gateFailed);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const { schemaVersion, findings } = JSON.parse(stdout);
    expect(schemaVersion).toBe(1);
    expect(findings).toContainEqual(
      expect.objectContaining({
        file: 'roles/web/compose.yaml',
        line: 3,
        severity: 'error',
        rule: 'no-build',
      }),
    );
  });

  it('is found by its path, from anywhere', async () => {
    await compose('build: .');
    const { stdout } = await fleet(['role', 'lint', '.'], join(repo, 'roles/web'));
    expect(stdout).toMatch(/^compose\.yaml:3: error: /m);
  });

  it('may hold a symlink out of it, which is told and not followed', async () => {
    await symlink('/etc/passwd', join(repo, 'roles/web/users'));
    const { exit, stdout } = await fleet(['role', 'lint'], repo);
    expect(exit).toBe(EXIT.gateFailed);
    expect(stdout).toMatch(/^roles\/web\/users: error: /m);
  });
});

describe('a role that is not there', () => {
  it('ends with 5 and says which are', async () => {
    const { exit, stderr } = await fleet(['role', 'lint', 'wep'], repo);
    expect(exit).toBe(EXIT.notFound);
    expect(stderr).toMatch(/no role «wep»[^]*There are: web\./);
  });

  it('is said where there is none at all', async () => {
    const { exit, stderr } = await fleet(['role', 'lint'], join(repo, 'roles/web'));
    expect(exit).toBe(EXIT.notFound);
    expect(stderr).toMatch(/root of a fleet repo/);
  });
});
