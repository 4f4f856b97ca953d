import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile, cp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Processors of the Pis that the agent runs on, and of the machines that it is tested on, as Debian calls them. */
export const ARCHITECTURES = ['arm64', 'armhf', 'amd64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** How Docker calls them. */
const PLATFORMS: Readonly<
  Record<Architecture, { readonly architecture: string; readonly variant?: string }>
> = {
  arm64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  amd64: { architecture: 'amd64' },
};

export interface SafeModeImage {
  /** With a digest, so that two that differ are never taken for each other. */
  readonly name: string;
  /** For `docker load`; about 15 MB. */
  readonly tar: Buffer;
}

/** Release of Debian whose nginx it is. */
const SUITE = 'trixie';

/** What nginx's package brings along for others: none of it is linked by nginx. */
const NOT_NEEDED =
  /^lib(db-|krb5|gssapi|k5crypto|bpf|elf|tirpc|xtables|nsl|nss_|com_err|keyutils|mnl|cap\.|psx|selinux|memusage|pcprofile|thread_db|anl|BrokenLocale|c_malloc)/;

/** Ids of Debian. */
const PASSWD = 'root:x:0:0:root:/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n';
const GROUP = 'root:x:0:\nnogroup:x:65534:\n';

/**
 * Makes an image with Debian's nginx and nothing else in it, no shell either, on any machine that has `mmdebstrap`, for any of the
 * processors, since nothing of it is run. The same packages of Debian give the same bytes.
 */
export async function buildSafeModeImage(architecture: Architecture): Promise<SafeModeImage> {
  const work = await mkdtemp(join(tmpdir(), 'safe-mode-image-'));
  try {
    const debian = join(work, 'debian');
    await exec('mmdebstrap', [
      ...['--quiet', '--variant=extract', '--include=nginx', `--architectures=${architecture}`],
      ...[SUITE, debian],
    ]);
    const root = join(work, 'root');
    await pick(debian, root);
    await archive(root, join(work, 'layer.tar'));
    const image = join(work, 'image');
    const name = await describe({ architecture, layer: join(work, 'layer.tar'), folder: image });
    const tar = join(work, 'image.tar');
    await archive(image, tar);
    return { name, tar: await readFile(tar) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The program, the libraries that it is linked with, and the two files that know a user's name. */
async function pick(debian: string, root: string): Promise<void> {
  const libraries = await readdir(join(debian, 'usr/lib'));
  const triplet = libraries.find((name) => name.includes('-linux-gnu'));
  if (triplet === undefined) throw new Error(`mmdebstrap left no libraries in ${debian}/usr/lib`);
  for (const folder of ['usr/sbin', `usr/lib/${triplet}`, 'etc', 'tmp', 'page']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await cp(join(debian, 'usr/sbin/nginx'), join(root, 'usr/sbin/nginx'));
  const keep = async (folder: string, isKept: (name: string) => boolean): Promise<void> => {
    for (const name of (await readdir(join(debian, folder))).filter(isKept)) {
      const options = { verbatimSymlinks: true, recursive: true };
      await cp(join(debian, folder, name), join(root, folder, name), options);
    }
  };
  await keep(`usr/lib/${triplet}`, (name) => /\.so(\.|$)/.test(name) && !NOT_NEEDED.test(name));
  await keep('usr/lib', (name) => name.startsWith('ld-linux'));
  await symlink('usr/lib', join(root, 'lib'));
  if ((await stat(join(debian, 'usr/lib64')).catch(() => null)) !== null) {
    await mkdir(join(root, 'usr/lib64'));
    await keep('usr/lib64', () => true);
    await symlink('usr/lib64', join(root, 'lib64'));
  }
  await writeFile(join(root, 'etc/passwd'), PASSWD);
  await writeFile(join(root, 'etc/group'), GROUP);
  // Where the configuration is mounted: the root is read-only.
  await writeFile(join(root, 'nginx.conf'), '');
  await chmod(join(root, 'tmp'), 0o1777);
}

/** Writes what `docker load` reads: the layer, its description, and a list of both. Returns the image's name. */
async function describe({
  architecture,
  layer,
  folder,
}: {
  readonly architecture: Architecture;
  readonly layer: string;
  readonly folder: string;
}): Promise<string> {
  await mkdir(folder);
  const bytes = await readFile(layer);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const name = `role-agent-safe-mode:${digest.slice(0, 12)}`;
  const config = {
    ...PLATFORMS[architecture],
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: { Cmd: ['/usr/sbin/nginx'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  await writeFile(join(folder, 'layer.tar'), bytes);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return name;
}

/** A tar of a folder that depends on its content alone. */
async function archive(folder: string, tar: string): Promise<void> {
  await exec('tar', [
    ...['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'],
    ...['-C', folder, '-cf', tar, '.'],
  ]);
}
