import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AGENT, agentVersion } from '../build.ts';
import { changelogDate, dpkgDeb, openFolders, put } from './build-deb.ts';
import { ARCHITECTURES, buildSafeModeImage, type Architecture } from './safe-mode-image.ts';

/** Debian's word on nginx and the libraries that are in the image; all of them let themselves be passed on. */
const COPYRIGHT = `The image in usr/lib/role-agent/safe-mode-image.tar.gz holds unchanged programs of Debian: nginx, glibc, OpenSSL, PCRE2,
zlib, zstd, libxcrypt. Their sources and licences: https://sources.debian.org/, and /usr/share/doc/<package>/copyright
wherever they are installed.

`;

/**
 * Builds `role-agent-safe-mode_<version>_<arch>.deb` into a folder, which is made, and returns its path: the image of
 * nginx with which safe mode shows its page. Needs `mmdebstrap` and Debian's mirror, but neither root nor a machine of
 * that processor. The same packages of Debian give the same bytes.
 */
export async function buildSafeModeDeb(outDir: string, architecture: Architecture): Promise<string> {
  const version = agentVersion();
  const deb = join(outDir, `role-agent-safe-mode_${version}_${architecture}.deb`);
  const tree = await mkdtemp(join(tmpdir(), 'safe-mode-deb-'));
  try {
    const lib = join(tree, 'usr/lib/role-agent');
    const image = await buildSafeModeImage(architecture);
    const size = await put(join(lib, 'safe-mode-image.tar.gz'), gzipSync(image.tar, { level: 9 }), 0o644);
    await put(join(lib, 'safe-mode-image.name'), `${image.name}\n`, 0o644);
    await put(
      join(tree, 'usr/share/doc/role-agent-safe-mode/copyright'),
      `${COPYRIGHT}${await readFile(join(AGENT, '../LICENSE'), 'utf8')}`,
      0o644,
    );
    const template = await readFile(join(AGENT, 'debian/control-safe-mode'), 'utf8');
    const control = template
      .replaceAll('@VERSION@', version)
      .replace('@ARCHITECTURE@', architecture)
      .replace('@INSTALLED_SIZE@', String(Math.ceil(size / 1024)));
    await put(join(tree, 'DEBIAN/control'), control, 0o644);
    await openFolders(tree);
    await mkdir(outDir, { recursive: true });
    await dpkgDeb(tree, deb, await changelogDate(version));
    return deb;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , outDir = join(AGENT, 'dist'), ...asked] = process.argv;
  const unknown = asked.find((name) => !ARCHITECTURES.some((known) => known === name));
  if (unknown !== undefined)
    throw new Error(`There is no architecture «${unknown}»; there are ${ARCHITECTURES.join(', ')}`);
  for (const architecture of ARCHITECTURES.filter((known) => asked.length === 0 || asked.includes(known))) {
    process.stdout.write(`${relative(process.cwd(), await buildSafeModeDeb(outDir, architecture))}\n`);
  }
}
