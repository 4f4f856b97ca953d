import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import type { FleetRepo } from '../fleet-repo.ts';
import { newPi, newRepo } from './stage.ts';

/** Every mistake gets one clear error, on the console and in the status, that says what, where and what to do. */
describe('a device that is set up wrong', () => {
  let device: Device;
  let repo: FleetRepo;
  beforeAll(async () => {
    [device, repo] = await Promise.all([newPi('trixie', 'bad-input'), newRepo()]);
    await repo.push('Good', templateRole());
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
  });

  /** A run by hand: what the console says, and that `status` says the same. */
  async function complains(code: string, says: RegExp): Promise<void> {
    const { code: exit, stdout } = await device.pi.sh('role-agent run');
    expect(exit).toBe(1);
    expect(stdout).toContain(`${code}: `);
    expect(stdout).toMatch(says);
    expect(await device.pi.ok('role-agent status')).toContain(`${code}: `);
    expect(await device.pi.ok('ls /opt/metrica/releases 2>/dev/null | wc -l')).toBe('0\n');
    expect((await device.pi.sh('readlink /opt/app_current')).code).not.toBe(0);
  }

  it('with no configuration is told where to write one', async () => {
    await device.pi.ok('rm -f /etc/role-agent/config.yaml');
    await complains('config-invalid', /\/etc\/role-agent\/config\.yaml/);
  });

  it('with a typo in its configuration is told the line', async () => {
    await device.pi.write('/etc/role-agent/config.yaml', 'device: pi\nrole: hello\nsuorces: []\n');
    await complains('config-invalid', /config\.yaml:3.*suorces|suorces.*config\.yaml:3/s);
  });

  it('whose repo cannot be reached is told the address', async () => {
    await device.follows('http://127.0.0.1:9/fleet.git', 'hello');
    await complains('source-unreachable', /http:\/\/127\.0\.0\.1:9\/fleet\.git/);
  });

  it('whose role does not exist is told which ones do', async () => {
    await device.follows(repo.url, 'hallo');
    await complains('role-not-found', /hallo.*hello/s);
  });

  it('whose branch does not exist is told so', async () => {
    await device.pi.write(
      '/etc/role-agent/config.yaml',
      `device: pi\nrole: hello\nsources:\n  - git: {url: '${repo.url}', branch: production}\n`,
    );
    await complains('branch-not-found', /production/);
  });

  it('whose role holds a file of 1 GB is not filled with it', async () => {
    await writeFile(join(repo.tree, 'roles/hello/model.bin'), '');
    await truncate(join(repo.tree, 'roles/hello/model.bin'), 1_073_741_824);
    await repo.push('A large file', {});
    await device.follows(repo.url, 'hello');
    await complains('bundle-too-large', /256 MiB|limit/);
    expect(
      Number(
        await device.pi.ok(
          "du -sm /var/lib/role-agent /opt | cut -f1 | paste -sd+ | xargs -I{} sh -c 'echo $(({}))'",
        ),
      ),
    ).toBeLessThan(600);
    await repo.push('Remove it', { 'roles/hello/model.bin': null });
  });

  it('without Docker is told what to install', async () => {
    await device.pi.ok('systemctl stop docker.socket docker && mv /usr/bin/docker /usr/bin/docker.away');
    await complains('docker-missing', /apt-get install/);
    await device.pi.ok('mv /usr/bin/docker.away /usr/bin/docker && systemctl start docker');
  });

  it('with Compose v1 only is told what to install', async () => {
    await device.pi.ok(
      'for d in /usr/libexec/docker/cli-plugins /usr/lib/docker/cli-plugins; do [ -e $d/docker-compose ] && mv $d/docker-compose /root/docker-compose.away; done; true',
    );
    await complains('compose-missing', /docker-compose-plugin/);
  });

  it('that is an ARMv6 board is refused by the package with a clear word', async () => {
    await device.pi.write('/tmp/cpuinfo', 'model name\t: ARMv6-compatible processor rev 7 (v6l)\n');
    const { code, stderr } = await device.pi.sh(
      'CPUINFO=/tmp/cpuinfo sh /var/lib/dpkg/info/role-agent.preinst install',
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/ARMv6/);
  });
});
