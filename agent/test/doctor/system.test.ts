import { describe, expect, it } from 'vitest';
import { judgeDocker, type DockerFacts } from '../../src/doctor/docker.ts';
import { judgeJournald } from '../../src/doctor/journald.ts';
import { judgeKernel, type KernelFacts } from '../../src/doctor/kernel.ts';
import { itFinds, type Case } from './cases.ts';

const KERNEL: KernelFacts = {
  cgroups: 2,
  memoryController: true,
  commandLine: 'root=/dev/mmcblk0p2',
  firmware: { path: '/boot/firmware/cmdline.txt', text: 'console=tty1 root=/dev/mmcblk0p2\n' },
  machine: 'aarch64',
  architecture: 'arm64',
};
const INFO = { ServerVersion: '26.1.5', Driver: 'overlay2' };
const DOCKER: DockerFacts = {
  info: {
    ...INFO,
    ClientInfo: { Plugins: [{ Name: 'compose', Version: 'v2.26.1' }] },
  },
  composeScript: null,
  suite: 'trixie',
  logging: 'local',
  daemonFile: null,
  unboundedContainers: [],
};
const JOURNALD = {
  config:
    '# /etc/systemd/journald.conf\n[Journal]\n#Storage=auto\n\n# /usr/lib/systemd/journald.conf.d/60-role-agent.conf\n[Journal]\nStorage=persistent\nSystemMaxUse=64M\n',
  folder: true,
};
const journald = (storage: string, file = '/usr/lib/systemd/journald.conf.d/40-rpi-volatile-storage.conf') =>
  judgeJournald({ config: `# ${file}\n[Journal]\nStorage=${storage}\nSystemMaxUse=1M\n`, folder: true });

const CASES: readonly Case[] = [
  [
    'a memory cgroup that the firmware disables',
    judgeKernel({ ...KERNEL, memoryController: false, commandLine: 'cgroup_disable=memory root=x' }),
    'memory-cgroup',
    'problem',
    /firmware has switched .*sed -i '1s\/\$\/ cgroup_enable=memory cgroup_memory=1\/' \/boot\/firmware\/cmdline\.txt && reboot/,
  ],
  [
    'one that counts after a reboot',
    judgeKernel({
      ...KERNEL,
      memoryController: false,
      firmware: { path: '/boot/firmware/cmdline.txt', text: 'root=x cgroup_enable=memory cgroup_memory=1' },
    }),
    'memory-cgroup',
    'problem',
    /is right; it counts after a reboot/,
  ],
  [
    'one that is off on another computer, with cgroup v1',
    judgeKernel({ ...KERNEL, cgroups: 1, memoryController: false, firmware: null }),
    'memory-cgroup',
    'problem',
    /cgroup v1.*GRUB_CMDLINE_LINUX/,
  ],
  [
    'no cgroups at all',
    judgeKernel({ ...KERNEL, cgroups: null, memoryController: false }),
    'memory-cgroup',
    'unknown',
    /No cgroups/,
  ],
  [
    'an ARMv6 board',
    judgeKernel({ ...KERNEL, machine: 'armv6l', architecture: 'armhf' }),
    'architecture',
    'problem',
    /ARMv6/,
  ],
  [
    'an architecture that nobody tests',
    judgeKernel({ ...KERNEL, architecture: 'riscv64' }),
    'architecture',
    'warning',
    /riscv64/,
  ],
  [
    'Docker that is not installed',
    judgeDocker({ ...DOCKER, info: null }),
    'docker',
    'problem',
    /apt-get install docker\.io/,
  ],
  [
    'Docker that is stopped',
    judgeDocker({ ...DOCKER, info: { ServerErrors: ['Cannot connect to the Docker daemon'] } }),
    'docker',
    'problem',
    /systemctl enable --now docker/,
  ],
  [
    'Docker that hangs',
    judgeDocker({ ...DOCKER, info: 'silent' }),
    'docker',
    'problem',
    /in time.*systemctl restart docker/,
  ],
  [
    'Docker that does not talk to this user',
    judgeDocker({ ...DOCKER, info: { ServerErrors: ['permission denied while trying to connect'] } }),
    'docker',
    'unknown',
    /may not/,
  ],
  [
    'Compose v1 alone, on bookworm',
    judgeDocker({ ...DOCKER, info: { ServerVersion: '20.10' }, composeScript: '1.29.2', suite: 'bookworm' }),
    'compose',
    'problem',
    /only the old docker-compose 1\.29\.2.*docker-compose-plugin/,
  ],
  [
    'a Compose that is too old',
    judgeDocker({
      ...DOCKER,
      info: { ...INFO, ClientInfo: { Plugins: [{ Name: 'compose', Version: '2.19.0' }] } },
    }),
    'compose',
    'problem',
    /2\.19\.0 is too old.*2\.20/,
  ],
  [
    'log files without a limit',
    judgeDocker({
      ...DOCKER,
      logging: 'json-file',
      daemonFile: '{"dns": ["192.0.2.1"]}',
      unboundedContainers: ['db'],
    }),
    'docker-logs',
    'warning',
    /so log db.*\{"dns":\["192\.0\.2\.1"\],"log-driver":"local".*> \/etc\/docker\/daemon\.json && systemctl restart docker/,
  ],
  [
    'log files without a limit, with a password in the file, which is not shown',
    judgeDocker({
      ...DOCKER,
      logging: 'json-file',
      daemonFile: '{"proxies": {"http-proxy": "http://me:hunter2@proxy"}}',
    }),
    'docker-logs',
    'warning',
    /^(?!.*hunter2).*In \/etc\/docker\/daemon\.json add/,
  ],
  [
    'a container from before the limit',
    judgeDocker({ ...DOCKER, unboundedContainers: ['db'] }),
    'docker-logs',
    'warning',
    /from before the limit.*db.*--force-recreate/,
  ],
  [
    'a storage driver that copies layers',
    judgeDocker({ ...DOCKER, info: { ...INFO, Driver: 'vfs' } }),
    'docker-storage',
    'warning',
    /vfs.*copies every layer/,
  ],
  [
    'a volatile journal, as Raspberry Pi OS has it',
    journald('volatile'),
    'journald',
    'warning',
    /40-rpi-volatile-storage\.conf:2.*> \/etc\/systemd\/journald\.conf\.d\/40-rpi-volatile-storage\.conf && systemctl restart systemd-journald/,
  ],
  [
    'a volatile journal by a file of one’s own',
    journald('none', '/etc/systemd/journald.conf'),
    'journald',
    'warning',
    /sed -i .* \/etc\/systemd\/journald\.conf && /,
  ],
  [
    'a journal in memory for want of a folder',
    judgeJournald({ config: '[Journal]\n', folder: false }),
    'journald',
    'warning',
    /mkdir -p \/var\/log\/journal/,
  ],
  [
    'a journal without a limit',
    judgeJournald({ config: '# /etc/systemd/journald.conf\n[Journal]\nStorage=persistent\n', folder: true }),
    'journald',
    'warning',
    /without a limit.*SystemMaxUse=64M/,
  ],
];

describe('the doctor, of kernel, Docker and journal,', () => {
  itFinds(CASES);

  it('finds nothing where all is well', () => {
    const findings = [judgeKernel(KERNEL), judgeDocker(DOCKER), judgeJournald(JOURNALD)].flat();
    expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(2);
  });
});
