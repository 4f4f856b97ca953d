import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { docker, mustDocker } from './engine.ts';
import { CACHE, NETWORK } from './places.ts';
import { must } from './process.ts';

/** Releases of Debian that Raspberry Pi OS is made from. */
export type Suite = 'trixie' | 'bookworm';

const PACKAGES = [
  ...[
    'systemd',
    'systemd-sysv',
    'dbus',
    'iptables',
    'ca-certificates',
    'procps',
    'iproute2',
    'util-linux',
    'jq',
    'curl',
  ],
  ...['git', 'nodejs', 'openssh-server', 'openssh-client', 'docker.io'],
];

/** Bookworm has Compose v1 only; trixie's package of v2 runs there too. */
const SUITES: Record<Suite, { packages: readonly string[]; hooks: readonly string[] }> = {
  trixie: { packages: ['docker-cli', 'docker-compose'], hooks: [] },
  bookworm: {
    packages: [],
    hooks: [
      `chroot "$1" sh -ec '
        sed "s/bookworm/trixie/g" /etc/apt/sources.list > /etc/apt/sources.list.d/next.list
        apt-get update -q; cd /tmp; apt-get download -q docker-compose/trixie
        dpkg -i --force-depends docker-compose_*.deb; rm docker-compose_*.deb /etc/apt/sources.list.d/next.list'`,
    ],
  },
};

/** Units that a virtual Pi has no use for; without them it boots in seconds. */
const MASKED = [
  ...[
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'e2scrub_all.timer',
    'e2scrub_reap.service',
    'fstrim.timer',
  ],
  ...[
    'dpkg-db-backup.timer',
    'logrotate.timer',
    'man-db.timer',
    'systemd-udevd.service',
    'systemd-modules-load.service',
  ],
  ...['systemd-timesyncd.service', 'console-getty.service', 'getty@tty1.service', 'sys-kernel-debug.mount'],
  ...[
    'sys-kernel-config.mount',
    'sys-kernel-tracing.mount',
    'dev-hugepages.mount',
    'systemd-networkd-wait-online.service',
  ],
];

const DAEMON = JSON.stringify({ 'insecure-registries': [NETWORK.subnet] });

const COMMON_HOOKS = [
  `for unit in ${MASKED.join(' ')}; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done`,
  `mkdir -p "$1/etc/docker" && echo '${DAEMON}' > "$1/etc/docker/daemon.json"`,
  `rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/archives/*.deb`,
];

/** Name of the engine's image of a suite's root file system, made on first use (about a minute) and cached by its recipe. */
export async function rootImage(suite: Suite): Promise<string> {
  const { packages, hooks } = SUITES[suite];
  const args = [
    ...['--variant=minbase', `--include=${[...PACKAGES, ...packages].join(',')}`],
    ...[...hooks, ...COMMON_HOOKS].map((hook) => `--customize-hook=${hook}`),
  ];
  const recipe = createHash('sha256')
    .update(JSON.stringify([suite, args]))
    .digest('hex')
    .slice(0, 12);
  const image = `metrica-pi-${suite}:${recipe}`;
  if ((await docker(['image', 'inspect', image])).code === 0) return image;
  const tar = join(CACHE, `root-${suite}-${recipe}.tar`);
  if (!existsSync(tar)) await make(suite, args, tar);
  await mustDocker(['import', tar, image], { deadline: 300_000 });
  rmSync(tar);
  return image;
}

async function make(suite: Suite, args: readonly string[], tar: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  process.stderr.write(`Making the root file system of ${suite} (once, about a minute)\n`);
  await must(['mmdebstrap', ...args, suite, `${tar}.part.tar`], { deadline: 600_000 });
  renameSync(`${tar}.part.tar`, tar);
}
