import { STATEMENTS_REF } from '@metrica-fleet/protocol';
import { Command } from 'commander';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addBundle } from '../src/commands/bundle.ts';
import { addRelease } from '../src/commands/release.ts';

let root: string;
const at = (path: string): string => join(root, path);
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=t@example.org', ...args], {
    cwd: at('fleet'),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  }).trim();

function write(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'metrica-cli-'));
  write('fleet/roles/web/role.yaml', 'name: web\n');
  write('fleet/roles/web/page/ü.html', 'hello\r\n');
  write('fleet/.gitattributes', '* text=auto eol=lf\n');
  symlinkSync('page', at('fleet/roles/web/site'));
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', at('fleet')]);
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@example.org');
  git('add', '--all');
  git('commit', '--quiet', '--message=one');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('key')]);
  const [type, bytes] = readFileSync(at('key.pub'), 'utf8').split(' ');
  writeFileSync(at('signers'), `ci@example.org ${type} ${bytes}\n`);
});
afterEach(() => rmSync(root, { recursive: true }));

/** Runs a command line as main.ts does and returns what it prints. */
async function fleet(...argv: string[]): Promise<string> {
  const said: string[] = [];
  const program = new Command('fleet').exitOverride().configureOutput({ writeErr: () => undefined });
  const terminal = {
    out: (text: string) => void said.push(text),
    aside: () => undefined,
    cwd: root,
    env: {},
  };
  const shell = { program, terminal, root, exit: () => undefined };
  addBundle(shell);
  addRelease(shell);
  await program.parseAsync(argv, { from: 'user' });
  return said.join('');
}
const sign = (...more: string[]): Promise<string> =>
  fleet('release', 'sign', '--role', 'web', '--repo', 'fleet', '--key', 'key', ...more);
const exportTo = (out: string): Promise<string> =>
  fleet('bundle', 'export', '--role', 'web', '--repo', 'fleet', '--key', 'key', '--out', out);
const verify = (folder: string): Promise<string> => fleet('bundle', 'verify', folder, '--signers', 'signers');
const code = (expected: string): object => ({ problem: { code: expected } });

describe('fleet release sign', () => {
  it('puts a statement and its signature into the ref, and counts up', async () => {
    expect(await sign()).toMatch(/counter 1\n$/);
    git('commit', '--quiet', '--allow-empty', '--message=two');
    expect(await sign()).toMatch(/counter 2\n$/);
    const names = git('ls-tree', '-r', '--name-only', STATEMENTS_REF).split('\n');
    expect(names).toEqual([
      expect.stringMatching(/^web\/[0-9a-f]{64}\.json$/),
      expect.stringMatching(/^web\/[0-9a-f]{64}\.json\.sig$/),
    ]);
    const statement = JSON.parse(git('cat-file', 'blob', `${STATEMENTS_REF}:${names[0]}`)) as object;
    expect(statement).toMatchObject({ role: 'web', commit: git('rev-parse', 'HEAD'), counter: 2 });
    expect(git('rev-list', '--count', STATEMENTS_REF)).toBe('2');
    expect(git('status', '--short')).toBe('');
  });

  it('takes a counter that is higher, and no other', async () => {
    expect(await sign('--counter', '7')).toMatch(/counter 7\n$/);
    await expect(sign('--counter', '7')).rejects.toMatchObject(code('input-invalid'));
    await expect(sign('--counter', '0')).rejects.toThrow(/whole number/);
  });

  it('goes on counting from what others have pushed', async () => {
    execFileSync('git', ['clone', '--quiet', '--bare', at('fleet'), at('remote.git')]);
    execFileSync('git', ['clone', '--quiet', at('remote.git'), at('other')]);
    git('remote', 'add', 'origin', at('remote.git'));
    const other = { cwd: at('other') };
    execFileSync('git', ['config', 'user.name', 'Other'], other);
    execFileSync('git', ['config', 'user.email', 'other@example.org'], other);
    expect(await sign('--push', 'origin')).toMatch(/counter 1, pushed to origin\n$/);
    const theirs = [
      'release',
      'sign',
      '--role',
      'web',
      '--repo',
      'other',
      '--key',
      'key',
      '--push',
      'origin',
    ];
    expect(await fleet(...theirs)).toMatch(/counter 2, pushed/);
    expect(await sign('--push', 'origin')).toMatch(/counter 3, pushed/);
  });

  it('says which roles there are, that a commit or a key is not there, and that statements diverged', async () => {
    await expect(
      fleet('release', 'sign', '--role', 'wbe', '--repo', 'fleet', '--key', 'key'),
    ).rejects.toThrow(/no role wbe .*The roles there: web/);
    await expect(sign('--commit', 'gone')).rejects.toMatchObject(code('input-invalid'));
    const noKey = fleet('release', 'sign', '--role', 'web', '--repo', 'fleet', '--key', 'none');
    await expect(noKey).rejects.toMatchObject(code('input-invalid'));
    execFileSync('git', ['clone', '--quiet', '--bare', at('fleet'), at('remote.git')]);
    await sign('--push', at('remote.git'));
    git('update-ref', '-d', STATEMENTS_REF);
    await sign('--counter', '9');
    await expect(sign('--push', at('remote.git'))).rejects.toThrow(/gone different ways/);
  });
});

describe('fleet bundle', () => {
  it('exports what is committed and verifies it, byte by byte', async () => {
    write('fleet/roles/web/page/ü.html', 'not committed');
    expect(await exportTo('usb')).toMatch(/web at [0-9a-f]{12}, content [0-9a-f]{12}, counter 1\n$/);
    expect(await verify('usb')).toMatch(/usb\/web: good; web at/);
    expect(await verify('usb/web')).toMatch(/good/);
  });

  it('exports over a former bundle', async () => {
    await exportTo('usb');
    write('fleet/roles/web/page/ü.html', 'new');
    git('commit', '--quiet', '--all', '--message=two');
    await exportTo('usb');
    expect(await verify('usb')).toMatch(/counter 2\n$/);
  });

  it.each([
    ['statement-invalid', 'statement.json'],
    ['statement-invalid', 'statement.json.sig'],
    ['bundle-invalid', 'bundle.tar.gz'],
  ])('finds %s where %s was changed', async (expected, name) => {
    await exportTo('usb');
    const file = at(`usb/web/${name}`);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(Math.floor(bytes.length / 2)) ^ 1, Math.floor(bytes.length / 2));
    writeFileSync(file, bytes);
    await expect(verify('usb')).rejects.toMatchObject(code(expected));
  });

  it('finds the bundle of another release, a stranger’s signature, and nothing', async () => {
    await exportTo('usb');
    const bundle = readFileSync(at('usb/web/bundle.tar.gz'));
    write('fleet/roles/web/page/ü.html', 'new');
    git('commit', '--quiet', '--all', '--message=two');
    await exportTo('usb');
    writeFileSync(at('usb/web/bundle.tar.gz'), bundle);
    await expect(verify('usb')).rejects.toMatchObject(code('manifest-mismatch'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('eve')]);
    writeFileSync(at('signers'), `eve ${readFileSync(at('eve.pub'), 'utf8')}`);
    await expect(verify('usb')).rejects.toMatchObject(code('statement-invalid'));
    await expect(verify('nowhere')).rejects.toThrow(/no bundle/);
  });

  it('refuses a role with a submodule or with a link that leaves it', async () => {
    symlinkSync('../../.git', at('fleet/roles/web/out'));
    git('add', '--all');
    git('commit', '--quiet', '--message=link');
    await expect(exportTo('usb')).rejects.toMatchObject(code('path-escapes'));
    git('rm', '--quiet', 'roles/web/out');
    git('update-index', '--add', '--cacheinfo', `160000,${git('rev-parse', 'HEAD')},roles/web/sub`);
    git('commit', '--quiet', '--message=sub');
    await expect(exportTo('usb')).rejects.toMatchObject(code('role-invalid'));
  });
});
