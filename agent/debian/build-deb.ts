import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { AGENT, agentVersion, bundleAgent, type Bundle, type ThirdParty } from '../build.ts';

export interface DebOptions {
  /** Entry of the bundle, for tests. Default: `agent/src/main.ts`. */
  readonly entry?: string;
}

/** Where each file of the package comes from (under agent/), and where it goes. What is not 0755 is 0644. */
const FILES: readonly { readonly from: string; readonly to: string; readonly executable?: true }[] = [
  { from: 'debian/gate', to: 'usr/lib/role-agent/gate', executable: true },
  { from: 'debian/enrol', to: 'usr/lib/role-agent/enrol', executable: true },
  { from: 'debian/wake', to: 'usr/lib/role-agent/wake', executable: true },
  { from: 'debian/safe-mode', to: 'usr/lib/role-agent/safe-mode', executable: true },
  { from: 'debian/safe-mode-nginx', to: 'usr/lib/role-agent/safe-mode-nginx', executable: true },
  { from: 'debian/safe-mode-nginx.conf', to: 'usr/lib/role-agent/safe-mode-nginx.conf' },
  { from: 'debian/role-agent.sh', to: 'usr/bin/role-agent', executable: true },
  { from: 'systemd/role-agent.service', to: 'usr/lib/systemd/system/role-agent.service' },
  { from: 'systemd/role-agent.timer', to: 'usr/lib/systemd/system/role-agent.timer' },
  { from: 'systemd/role-agent.path', to: 'usr/lib/systemd/system/role-agent.path' },
  { from: 'systemd/role-agent-pull.service', to: 'usr/lib/systemd/system/role-agent-pull.service' },
  { from: 'systemd/role-agent-enrol.service', to: 'usr/lib/systemd/system/role-agent-enrol.service' },
  { from: 'systemd/role-agent-enrol.path', to: 'usr/lib/systemd/system/role-agent-enrol.path' },
  { from: 'systemd/role-agent-wake.service', to: 'usr/lib/systemd/system/role-agent-wake.service' },
  { from: 'systemd/role-agent-wake.path', to: 'usr/lib/systemd/system/role-agent-wake.path' },
  ...[
    'role-agent-safe-mode.service',
    'role-agent-safe-mode-page.service',
    'role-agent-safe-mode-nginx.service',
    'role-agent-safe-mode-redeploy.path',
    'role-agent-safe-mode-redeploy.service',
  ].map((unit) => ({ from: `systemd/${unit}`, to: `usr/lib/systemd/system/${unit}` })),
  { from: 'systemd/sysusers.conf', to: 'usr/lib/sysusers.d/role-agent.conf' },
  { from: 'systemd/tmpfiles.conf', to: 'usr/lib/tmpfiles.d/role-agent.conf' },
  { from: 'systemd/journald.conf', to: 'usr/lib/systemd/journald.conf.d/60-role-agent.conf' },
  { from: 'config.example.yaml', to: 'etc/role-agent/config.yaml.example' },
  { from: 'README.md', to: 'usr/share/doc/role-agent/README.md' },
];
/** Entry of the second bundle, which must run when the first does not. */
const SAFE_MODE = join(AGENT, 'src/safe-mode/main.ts');
const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'];

/**
 * Builds `role-agent_<version>_all.deb` into a folder, which is made, and returns its path. One package for Debian
 * bookworm and trixie and every architecture. The same source gives the same bytes: times come from
 * `SOURCE_DATE_EPOCH`, else from the changelog. Needs `dpkg-deb`, but neither root nor a Debian system.
 */
export async function buildDeb(outDir: string, options: DebOptions = {}): Promise<string> {
  const version = agentVersion();
  const deb = join(outDir, `role-agent_${version}_all.deb`);
  const tree = await mkdtemp(join(tmpdir(), 'role-agent-deb-'));
  try {
    const outFile = join(tree, 'usr/lib/role-agent/role-agent.cjs');
    const bundle = await bundleAgent({ ...options, outFile });
    const safeMode = join(tree, 'usr/lib/role-agent/safe-mode.cjs');
    // Its packages of others are among those of the agent.
    let size = bundle.bytes + (await bundleAgent({ entry: SAFE_MODE, outFile: safeMode })).bytes;
    for (const { from, to, executable } of FILES) {
      size += await put(join(tree, to), await readFile(join(AGENT, from)), executable ? 0o755 : 0o644);
    }
    const changelog = await readFile(join(AGENT, 'debian/changelog'), 'utf8');
    const doc = join(tree, 'usr/share/doc/role-agent');
    size += await put(join(doc, 'changelog.gz'), gzipSync(changelog, { level: 9 }), 0o644);
    size += await put(join(doc, 'copyright'), await copyright(bundle), 0o644);
    await putControl(join(tree, 'DEBIAN'), version, Math.ceil(size / 1024));
    for (const file of [outFile, safeMode]) await chmod(file, 0o644);
    await openFolders(tree);
    await mkdir(outDir, { recursive: true });
    await dpkgDeb(tree, deb, await changelogDate(version));
    return deb;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** @param kibibytes size of the installed files, rounded up. */
async function putControl(folder: string, version: string, kibibytes: number): Promise<void> {
  const template = await readFile(join(AGENT, 'debian/control'), 'utf8');
  const control = template.replace('@VERSION@', version).replace('@INSTALLED_SIZE@', String(kibibytes));
  await put(join(folder, 'control'), control, 0o644);
  await put(join(folder, 'conffiles'), await readFile(join(AGENT, 'debian/conffiles')), 0o644);
  for (const script of SCRIPTS) {
    await put(join(folder, script), await readFile(join(AGENT, 'debian', script)), 0o755);
  }
}

/** Writes a file with exactly this mode, whatever the umask. Returns its size in bytes. */
export async function put(path: string, content: string | Uint8Array, mode: number): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, mode);
  return Buffer.byteLength(content);
}

async function copyright(bundle: Bundle): Promise<string> {
  const own = await readFile(join(AGENT, '../LICENSE'), 'utf8');
  const theirs = ({ name, version, license, text }: ThirdParty): string =>
    `${'-'.repeat(72)}\n${name} ${version} (${license})\n\n${text.trimEnd()}\n`;
  return [
    `Metrica Fleet, role-agent\n\n${own.trimEnd()}\n`,
    'usr/lib/role-agent/role-agent.cjs contains these packages:\n',
    ...bundle.thirdParty.map(theirs),
  ].join('\n');
}

/** When this version was made: `SOURCE_DATE_EPOCH`, else the changelog's newest entry, which has to be the one for it. Seconds since 1970. */
export async function changelogDate(version: string): Promise<string> {
  const changelog = await readFile(join(AGENT, 'debian/changelog'), 'utf8');
  const newest = /^role-agent \((\S+)\)/.exec(changelog)?.[1];
  const date = /^ -- .+ {2}(.+)$/m.exec(changelog)?.[1];
  if (newest !== version || date === undefined) {
    throw new Error(
      `agent/debian/changelog begins with ${newest}, package.json says ${version}: add an entry`,
    );
  }
  return process.env['SOURCE_DATE_EPOCH'] ?? String(Date.parse(date) / 1000);
}

/** Packs a tree. `epoch`: the time of every file, seconds since 1970. */
export async function dpkgDeb(tree: string, deb: string, epoch: string): Promise<void> {
  // gzip: unlike xz its result does not depend on the number of cores.
  const args = ['--root-owner-group', '-Zgzip', '--build', tree, deb];
  await promisify(execFile)('dpkg-deb', args, { env: { ...process.env, SOURCE_DATE_EPOCH: epoch } });
}

/** Gives every folder of the tree 0755, whatever the umask was. */
export async function openFolders(tree: string): Promise<void> {
  await chmod(tree, 0o755);
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  await Promise.all(folders.map((entry) => chmod(join(entry.parentPath, entry.name), 0o755)));
}

if (process.argv[1] === import.meta.filename) {
  const deb = await buildDeb(process.argv[2] ?? join(AGENT, 'dist'));
  process.stdout.write(`${relative(process.cwd(), deb)}\n`);
}
