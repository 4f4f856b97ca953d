import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustDocker } from '../../virtual-pi/engine.ts';
import type { Files } from '../../virtual-pi/fleet-repo.ts';
import type { VirtualPi } from '../../virtual-pi/pi.ts';
import { CACHE } from '../../virtual-pi/places.ts';
import { rootImage } from '../../virtual-pi/root-fs.ts';
import { compose, type StackOptions } from '../support/stack.ts';

/** What a Pi with the peer has beyond a Pi: Debian's ansible-core, and GNU time to measure both with. */
const PACKAGES = ['ansible-core', 'time'];

/** Installs into a root file system, and packs every file that this made or changed. */
const RECIPE = `set -e
export DEBIAN_FRONTEND=noninteractive
touch /before
sleep 1.1
apt-get update -q
apt-get install -y -q --no-install-recommends ${PACKAGES.join(' ')}
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
find / -xdev -cnewer /before ! -type d ! -path /etc/resolv.conf ! -path '/etc/host*' -print0 |
  tar -C / --null -T - -cf "/out/$1.part"`;

/** Puts the peer on a Pi. Its files are made on first use (half a minute, from Debian) and cached by their recipe. */
export async function installPeer(pi: VirtualPi): Promise<void> {
  const base = await rootImage('trixie');
  const recipe = createHash('sha256').update(`${base}\n${RECIPE}`).digest('hex').slice(0, 12);
  const file = `bench-peer-${recipe}.tar`;
  if (!existsSync(join(CACHE, file))) await make(base, file);
  await pi.ok('tar -C / -xf - && ldconfig', { input: await readFile(join(CACHE, file)), deadline: 120_000 });
}

async function make(base: string, file: string): Promise<void> {
  const mounts = ['--network', 'host', '-v', `${CACHE}:/out`];
  await mustDocker(['run', '--rm', ...mounts, base, 'sh', '-c', RECIPE, 'sh', file], { deadline: 600_000 });
  renameSync(join(CACHE, `${file}.part`), join(CACHE, file));
}

const CHECKOUT = '/var/lib/ansible-pull';

/** A run of the peer as a timer would start it: quiet, on this host only, with Debian's defaults. */
export function pullCommand(url: string): string {
  return `ansible-pull -U ${url} -C main -d ${CHECKOUT} -i localhost, local.yml`;
}

/** A playbook that keeps the same stack up. No facts are gathered, since it needs none: the peer at its best. */
export function playbook(stack: StackOptions): Files {
  return {
    'peer/compose.yaml': compose(stack),
    'local.yml': `- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: The stack is up
      ansible.builtin.command:
        cmd: docker compose up -d
        chdir: ${CHECKOUT}/peer
      register: up
      changed_when: up.stderr is search('Created|Recreated|Started')
`,
  };
}
