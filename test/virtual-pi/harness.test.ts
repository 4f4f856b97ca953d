import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetRepo } from './fleet-repo.ts';
import { busyboxImage } from './images.ts';
import { VirtualPi } from './pi.ts';
import { NETWORK } from './places.ts';
import type { Suite } from './root-fs.ts';

/** What each suite brings: the versions that the agent has to live with. */
const SUITES: [Suite, RegExp, RegExp][] = [
  ['trixie', /^v20\./, /systemd 257/],
  ['bookworm', /^v18\./, /systemd 252/],
];

for (const [suite, node, systemd] of SUITES) {
  describe(`a virtual Pi on ${suite}`, () => {
    let pi: VirtualPi;
    beforeAll(async () => {
      pi = await VirtualPi.start({ suite, name: `harness-${suite}` });
      await pi.loadImage(await busyboxImage('busybox:1.36.1'));
    });
    afterAll(() => pi.destroy());

    it('has the versions of its suite, and Compose v2', async () => {
      expect(await pi.ok('node --version')).toMatch(node);
      expect(await pi.ok('systemctl --version')).toMatch(systemd);
      expect(await pi.ok('docker compose version --short')).toMatch(/^v?2\./);
    });

    it('runs a Compose stack in its own engine', async () => {
      const compose = `services: {one: {image: 'busybox:1.36.1', command: ['sh', '-c', 'cat /etc/image; sleep 60']}}\n`;
      await pi.write('/root/stack/compose.yaml', compose);
      await pi.ok('cd /root/stack && docker compose up -d');
      expect(await pi.ok('cd /root/stack && docker compose logs --no-log-prefix one')).toContain(
        'busybox:1.36.1',
      );
      await pi.ok('cd /root/stack && docker compose down -t 0');
    });

    it('keeps its disk, not its /run, through a power cut, and boots with a new boot id', async () => {
      const boot = await pi.ok('cat /proc/sys/kernel/random/boot_id');
      await pi.ok('echo kept > /opt/kept && echo gone > /run/gone');
      await pi.powerCut();
      await pi.powerOn();
      expect(await pi.ok('cat /opt/kept')).toBe('kept\n');
      expect((await pi.sh('cat /run/gone')).code).not.toBe(0);
      expect(await pi.ok('cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
      expect(await pi.ok('docker images -q busybox:1.36.1')).not.toBe('');
    });

    it('reaches a Git server, loses it when the network is cut, and finds it again', async () => {
      const repo = await FleetRepo.create(NETWORK.gateway);
      try {
        const commit = await repo.push('First', { 'README.md': 'hello\n' });
        const ask = `timeout 10 git ls-remote ${repo.url} refs/heads/main`;
        expect(await pi.ok(ask)).toContain(commit);
        await pi.cutNetwork();
        expect((await pi.sh(ask, { deadline: 20_000 })).code).not.toBe(0);
        await pi.restoreNetwork();
        expect(await pi.ok(ask)).toContain(commit);
      } finally {
        await repo.close();
      }
    });
  });
}
