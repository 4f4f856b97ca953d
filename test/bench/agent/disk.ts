import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustDocker } from '../../virtual-pi/engine.ts';
import type { VirtualPi } from '../../virtual-pi/pi.ts';
import { CACHE } from '../../virtual-pi/places.ts';
import { must } from '../../virtual-pi/process.ts';

/** What a Pi may write to while it runs: all but its programs. `/run` and `/tmp` are in memory. */
const FOLDERS = ['var', 'opt', 'etc', 'root', 'home'];

/** Runs on the Pi: these folders, the engine's among them, move to the disk, and those that write there start again. */
const MOVE = `set -e
writers='docker.socket docker.service containerd.service'
systemctl stop $writers
for folder in ${FOLDERS.join(' ')}; do
  cp -a /$folder /mnt/ && mount --bind /mnt/$folder /$folder
done
systemctl restart systemd-journald.service
systemctl start $writers`;

/** All that waits in memory to be written; log lines too, whose file journald touches once more a moment later. */
const FLUSH = 'journalctl --sync && sleep 1 && sync';

/** An ext4 file system on a block device of its own, as a Pi's card: what is written to it can be counted. */
export class Disk {
  private readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** Puts all that a booted Pi may write to on a disk. It goes away with the Pi. */
  static async putUnder(pi: VirtualPi): Promise<Disk> {
    const file = join(CACHE, `bench-disk-${process.pid}.ext4`);
    await must(['truncate', '-s', '4G', file], { deadline: 10_000 });
    // Nothing is left for the kernel to write later by itself.
    const whole = 'lazy_itable_init=0,lazy_journal_init=0';
    await must(['mkfs.ext4', '-q', '-E', whole, file], { deadline: 120_000 });
    const device = (await must(['losetup', '-f', '--show', file], { deadline: 10_000 })).trim();
    rmSync(file);
    const pid = (await mustDocker(['inspect', '-f', '{{.State.Pid}}', pi.container])).trim();
    const minor = device.replace('/dev/loop', '');
    // From outside: the Pi may not open block devices. noatime, as Raspberry Pi OS mounts its card.
    const mount = `[ -e ${device} ] || mknod ${device} b 7 ${minor}; mount -o noatime ${device} /mnt`;
    await must(['nsenter', '-t', pid, '-m', 'sh', '-c', mount], { deadline: 10_000 });
    // From here on the kernel frees it when its last mount is gone.
    await must(['losetup', '-d', device], { deadline: 10_000 });
    await pi.ok(MOVE, { deadline: 120_000 });
    return new Disk(device.replace('/dev/', ''));
  }

  /** Bytes that reach the disk while something goes on, with what it leaves to be written afterwards. */
  async writtenBy(pi: VirtualPi, something: () => Promise<void>): Promise<number> {
    await pi.ok(FLUSH);
    const before = this.sectors();
    await something();
    await pi.ok(FLUSH);
    return (this.sectors() - before) * 512;
  }

  private sectors(): number {
    const fields = readFileSync(`/sys/block/${this.name}/stat`, 'utf8').trim().split(/\s+/);
    return Number(fields[6]);
  }
}
