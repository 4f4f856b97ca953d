import {
  mkdirSync,
  mkdtempSync,
  copyFileSync,
  symlinkSync,
  writeFileSync,
  rmSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustDocker } from './engine.ts';
import { CACHE } from './places.ts';
import { must } from './process.ts';

/**
 * An image under the given name, made from Debian's static busybox, since no public registry can be reached: the
 * programs of the public busybox image by the same names. The name is also written into the image, so that two differ.
 * Returns the path of a tar for `docker load`.
 */
export async function busyboxImage(name: string): Promise<string> {
  const tar = join(CACHE, `image-${name.replaceAll(/[^a-z0-9.]/g, '-')}.tar`);
  if (existsSync(tar)) return tar;
  const root = mkdtempSync(join(tmpdir(), 'metrica-image-'));
  try {
    for (const folder of ['bin', 'tmp', 'etc', 'www']) mkdirSync(join(root, folder));
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    const applets = (await must(['/bin/busybox', '--list'], { deadline: 10_000 })).split('\n');
    for (const applet of applets) {
      if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
    }
    writeFileSync(join(root, 'etc/image'), `${name}\n`);
    await must(['tar', '-C', root, '-cf', `${root}.tar`, '.'], { deadline: 60_000 });
    await mustDocker(['import', '-c', 'ENV PATH=/bin', `${root}.tar`, name]);
    mkdirSync(CACHE, { recursive: true });
    await mustDocker(['save', '-o', `${tar}.part`, name]);
    await must(['mv', `${tar}.part`, tar], { deadline: 10_000 });
    return tar;
  } finally {
    rmSync(root, { recursive: true });
    rmSync(`${root}.tar`, { force: true });
  }
}
