import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentVersion } from '../build.ts';
import { buildDeb } from '../debian/build-deb.ts';

const exec = promisify(execFile);
const DEBIAN = join(import.meta.dirname, '../debian');
const SYSTEMD = join(import.meta.dirname, '../systemd');
const SCRIPTS = [
  'gate',
  'enrol',
  'wake',
  'safe-mode',
  'safe-mode-nginx',
  'role-agent.sh',
  'preinst',
  'postinst',
  'prerm',
  'postrm',
];
const OTHER_UNITS = [
  'pull.service',
  'enrol.service',
  'enrol.path',
  'wake.service',
  'wake.path',
  'safe-mode.service',
  'safe-mode-page.service',
  'safe-mode-nginx.service',
  'safe-mode-redeploy.path',
  'safe-mode-redeploy.service',
].map((unit) => `role-agent-${unit}`);

let work: string;
let entry: string;
let deb: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'deb-'));
  entry = join(work, 'main.ts');
  // A small agent: what is tested here is the package around it.
  await writeFile(entry, 'declare const VERSION: string;\nprocess.stdout.write(VERSION);\n');
  deb = await buildDeb(join(work, 'out'), { entry });
});

afterAll(() => rm(work, { recursive: true }));

test('the same source gives the same bytes, whatever the umask', async () => {
  const umask = process.umask(0o077);
  try {
    const again = await buildDeb(join(work, 'again'), { entry });
    expect((await readFile(again)).equals(await readFile(deb))).toBe(true);
  } finally {
    process.umask(umask);
  }
});

test('the control file names the version and what the agent needs', async () => {
  const { stdout } = await exec('dpkg-deb', ['-f', deb]);
  expect(basename(deb)).toBe(`role-agent_${agentVersion()}_all.deb`);
  expect(stdout).toContain(`Version: ${agentVersion()}\nArchitecture: all\n`);
  expect(stdout).not.toMatch(/@[A-Z]/);
  for (const need of ['nodejs (>= 18)', 'docker-ce | docker.io', 'git', 'curl', 'systemd (>= 252)']) {
    expect(stdout).toMatch(new RegExp(`[ ,]${need.replace(/[()|]/g, String.raw`\$&`)}(,|\\n)`));
  }
});

test('every file is root’s, executable where it must be, and in a folder that both suites know', async () => {
  const { stdout } = await exec('dpkg-deb', ['-c', deb]);
  const files = stdout
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([mode]) => mode?.startsWith('-'))
    .map(([mode, owner, , , , path]) => `${mode} ${owner} ${path}`);
  expect(files).toEqual([
    '-rw-r--r-- root/root ./etc/role-agent/config.yaml.example',
    '-rwxr-xr-x root/root ./usr/bin/role-agent',
    '-rwxr-xr-x root/root ./usr/lib/role-agent/enrol',
    '-rwxr-xr-x root/root ./usr/lib/role-agent/gate',
    '-rw-r--r-- root/root ./usr/lib/role-agent/role-agent.cjs',
    '-rwxr-xr-x root/root ./usr/lib/role-agent/safe-mode',
    '-rwxr-xr-x root/root ./usr/lib/role-agent/safe-mode-nginx',
    '-rw-r--r-- root/root ./usr/lib/role-agent/safe-mode-nginx.conf',
    '-rw-r--r-- root/root ./usr/lib/role-agent/safe-mode.cjs',
    '-rwxr-xr-x root/root ./usr/lib/role-agent/wake',
    '-rw-r--r-- root/root ./usr/lib/systemd/journald.conf.d/60-role-agent.conf',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-enrol.path',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-enrol.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-pull.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-safe-mode-nginx.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-safe-mode-page.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-safe-mode-redeploy.path',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-safe-mode-redeploy.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-safe-mode.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-wake.path',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent-wake.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent.path',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent.service',
    '-rw-r--r-- root/root ./usr/lib/systemd/system/role-agent.timer',
    '-rw-r--r-- root/root ./usr/lib/sysusers.d/role-agent.conf',
    '-rw-r--r-- root/root ./usr/lib/tmpfiles.d/role-agent.conf',
    '-rw-r--r-- root/root ./usr/share/doc/role-agent/README.md',
    '-rw-r--r-- root/root ./usr/share/doc/role-agent/changelog.gz',
    '-rw-r--r-- root/root ./usr/share/doc/role-agent/copyright',
  ]);
  expect(stdout.match(/^d(?!rwxr-xr-x root\/root)/gm)).toBeNull();
});

test('the bundle knows its version', async () => {
  await exec('dpkg-deb', ['-x', deb, join(work, 'tree')]);
  const { stdout } = await exec(process.execPath, [join(work, 'tree/usr/lib/role-agent/role-agent.cjs')]);
  expect(stdout).toBe(agentVersion());
});

describe.each(SCRIPTS)('%s', (script) => {
  const path = join(DEBIAN, script);

  test('is a shell script that parses', async () => {
    await exec('sh', ['-n', path]);
    expect(await readFile(path, 'utf8')).toMatch(/^#!\/bin\/sh\n/);
  });

  test('has nothing for shellcheck', async (context) => {
    if (!(await isInstalled('shellcheck'))) context.skip('shellcheck is not installed');
    await expect(exec('shellcheck', ['--shell=dash', path])).resolves.toMatchObject({ stdout: '' });
  });
});

test('systemd finds nothing wrong with the units', async (context) => {
  if (!(await isInstalled('systemd-analyze'))) context.skip('systemd is not installed');
  const root = join(work, 'units');
  await exec('dpkg-deb', ['-x', deb, root]);
  // Alone, their programs are missing here; with --root they are looked up in the package, and what it needs of others is not.
  await mkdir(join(root, 'bin'));
  for (const program of ['bin/sh', 'usr/bin/node']) await writeFile(join(root, program), '', { mode: 0o755 });
  const units = ['service', 'timer', 'path'].map((kind) => `role-agent.${kind}`);
  const { stderr } = await exec('systemd-analyze', [
    'verify',
    '--man=no',
    '--recursive-errors=no',
    `--root=${root}`,
    ...[...units, ...OTHER_UNITS].map((unit) => join(SYSTEMD, unit)),
  ]);
  expect(stderr).toBe('');
});

describe('preinst', () => {
  test('refuses ARMv6 with a clear word', async () => {
    await expect(preinst('armv6l', '')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('this device has an ARMv6 processor'),
    });
  });

  test('recognises it by its name where the kernel’s word is another', async () => {
    const cpuinfo = 'model name\t: ARMv6-compatible processor rev 7 (v6l)\nCPU architecture: 7\n';
    await expect(preinst('armv7l', cpuinfo)).rejects.toMatchObject({ code: 1 });
  });

  test.each(['armv7l', 'aarch64', 'x86_64'])('accepts %s', async (machine) => {
    const cpuinfo = 'model name\t: ARMv7 Processor rev 4 (v7l)\n';
    await expect(preinst(machine, cpuinfo)).resolves.toBeUndefined();
  });
});

/** Runs preinst on a machine of that name. */
async function preinst(machine: string, cpuinfo: string): Promise<void> {
  const bin = await mkdtemp(join(work, 'bin-'));
  await writeFile(join(bin, 'uname'), `#!/bin/sh\necho ${machine}\n`);
  await chmod(join(bin, 'uname'), 0o755);
  await writeFile(join(bin, 'cpuinfo'), cpuinfo);
  await exec('sh', [join(DEBIAN, 'preinst'), 'install'], {
    env: { PATH: `${bin}:${process.env['PATH']}`, CPUINFO: join(bin, 'cpuinfo') },
  });
}

async function isInstalled(program: string): Promise<boolean> {
  return exec('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}
