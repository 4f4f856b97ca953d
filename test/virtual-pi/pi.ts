import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, mustDocker, OWNER_LABEL } from './engine.ts';
import { NETWORK } from './places.ts';
import type { Outcome } from './process.ts';
import { rootImage, type Suite } from './root-fs.ts';

/** All of Docker's capabilities but four that build machines tend to lack; a plain --privileged fails there. */
const CAPABILITIES = (
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK ' +
  'IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW ' +
  'SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE ' +
  'SYS_RAWIO SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'
).split(' ');

/** Where only cgroup v1 is there, systemd 257 starts with these two words; with v2 a plain --privileged is enough. */
const LEGACY = ['systemd.unified_cgroup_hierarchy=0', 'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'];

/**
 * After each boot: cgroups and sysctls are writable, or the inner engine creates no containers; and the boot has an id
 * of its own, which the container would otherwise share with this machine.
 */
const AFTER_BOOT = `for d in /sys/fs/cgroup /sys/fs/cgroup/* /proc/sys; do mountpoint -q $d && mount -o remount,bind,rw $d; done
cat > /run/boot_id; mount --bind /run/boot_id /proc/sys/kernel/random/boot_id`;

/** A Raspberry Pi made of a container: real systemd, real Docker and Compose inside. */
export class VirtualPi {
  readonly container: string;

  private constructor(container: string) {
    this.container = container;
  }

  static async start({ suite, name }: { suite: Suite; name: string }): Promise<VirtualPi> {
    const image = await rootImage(suite);
    const pi = new VirtualPi(`metrica-pi-${name}-${process.pid}`);
    const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
    await mustDocker([
      ...[
        'run',
        '-d',
        '--name',
        pi.container,
        '--hostname',
        name,
        '--label',
        `${OWNER_LABEL}=${process.pid}`,
        '--network',
        NETWORK.name,
        '--stop-signal',
        'RTMIN+3',
      ],
      ...(unified ? ['--privileged'] : CAPABILITIES.map((capability) => `--cap-add=${capability}`)),
      ...[
        '--security-opt',
        'seccomp=unconfined',
        '--security-opt',
        'apparmor=unconfined',
        '--cgroupns=private',
      ],
      ...[
        '--tmpfs',
        '/run',
        '--tmpfs',
        '/tmp',
        '-v',
        '/var/lib/docker',
        image,
        '/sbin/init',
        ...(unified ? [] : LEGACY),
      ],
    ]);
    await pi.hasBooted();
    return pi;
  }

  /** Runs a shell script on the Pi; a non-zero exit is an outcome. */
  sh(
    script: string,
    options: { readonly deadline?: number; readonly input?: string | Buffer } = {},
  ): Promise<Outcome> {
    return docker(['exec', '-i', this.container, 'sh', '-c', script], { input: '', ...options });
  }

  /** The same, for scripts that must succeed; returns what they print. */
  async ok(
    script: string,
    options: { readonly deadline?: number; readonly input?: string | Buffer } = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await this.sh(script, options);
    if (code !== 0) throw new Error(`On ${this.container} «${script}» failed (${code}): ${stderr || stdout}`);
    return stdout;
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await this.ok(`mkdir -p "$(dirname '${path}')" && cat > '${path}'`, { input: content });
  }

  async installDeb(path: string): Promise<void> {
    await this.write('/root/package.deb', await readFile(path));
    await this.ok('dpkg -i /root/package.deb && rm /root/package.deb', { deadline: 120_000 });
  }

  async loadImage(tar: string): Promise<void> {
    await this.ok('docker load -q', { input: await readFile(tar), deadline: 120_000 });
  }

  async cutNetwork(): Promise<void> {
    await mustDocker(['network', 'disconnect', NETWORK.name, this.container]);
  }

  async restoreNetwork(): Promise<void> {
    await mustDocker(['network', 'connect', NETWORK.name, this.container]);
  }

  /** Pulls the plug: every process dies at once; the disk stays as the kernel sees it. */
  async powerCut(): Promise<void> {
    await mustDocker(['kill', this.container]);
  }

  async powerOn(): Promise<void> {
    await mustDocker(['start', this.container]);
    await this.hasBooted();
  }

  /** An orderly reboot. */
  async reboot(): Promise<void> {
    await mustDocker(['stop', '-t', '30', this.container], { deadline: 90_000 });
    await this.powerOn();
  }

  async destroy(): Promise<void> {
    await mustDocker(['rm', '-fv', this.container]);
  }

  private async hasBooted(): Promise<void> {
    await this.eventually('mountpoint -q /run', 20_000);
    await this.ok(AFTER_BOOT, { input: `${randomUUID()}\n` });
    await this.eventually('systemctl is-system-running | grep -qE "running|degraded"', 90_000);
    await this.eventually('docker info', 60_000);
  }

  private async eventually(script: string, patience: number): Promise<void> {
    const end = Date.now() + patience;
    let last: Outcome | undefined;
    while (Date.now() < end) {
      last = await this.sh(script, { deadline: 20_000 });
      if (last.code === 0) return;
      await sleep(200);
    }
    throw new Error(`On ${this.container} never: ${script}\n${last?.stdout ?? ''}${last?.stderr ?? ''}`);
  }
}
