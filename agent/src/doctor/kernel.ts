import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { namesAt, says, textAt, topic, type Patient } from './patient.ts';

/** What the kernel and the firmware say of themselves. */
export interface KernelFacts {
  /** Version of the cgroups that are mounted; null where none are. */
  readonly cgroups: 1 | 2 | null;
  /** Whether memory limits of containers hold. */
  readonly memoryController: boolean;
  /** The kernel's command line of this boot. */
  readonly commandLine: string;
  /** The file that the firmware reads it from: its path and its text; null on what is no Raspberry Pi. */
  readonly firmware: { readonly path: string; readonly text: string } | null;
  /** As `uname -m` says; null where nobody does. */
  readonly machine: string | null;
  /** As `dpkg --print-architecture` says. */
  readonly architecture: string | null;
}

/** Since bookworm the first, before that the second. */
const FIRMWARE_FILES = ['/boot/firmware/cmdline.txt', '/boot/cmdline.txt'];
const WORDS = ['cgroup_enable=memory', 'cgroup_memory=1'];
const SUPPORTED = ['arm64', 'armhf', 'amd64'];

async function gatherKernel(patient: Patient): Promise<KernelFacts> {
  const [machine, architecture] = await Promise.all([
    says(patient, 'doctor.machine', ['uname', '-m']),
    says(patient, 'doctor.architecture', ['dpkg', '--print-architecture']),
  ]);
  const unified = await textAt(patient, '/sys/fs/cgroup/cgroup.controllers');
  const folders = await namesAt(patient, '/sys/fs/cgroup');
  // The second column is the hierarchy, the last says whether it is enabled.
  const row = /^memory\t\d+\t\d+\t(\d)/m.exec((await textAt(patient, '/proc/cgroups')) ?? '');
  return {
    cgroups: unified !== null ? 2 : folders.length > 0 ? 1 : null,
    memoryController:
      unified !== null
        ? unified.split(/\s+/).includes('memory')
        : folders.includes('memory') && row?.[1] === '1',
    commandLine: (await textAt(patient, '/proc/cmdline'))?.trim() ?? '',
    firmware: await firmwareFile(patient),
    machine: machine?.out ?? null,
    architecture: architecture?.code === 0 ? architecture.out : null,
  };
}

async function firmwareFile(patient: Patient): Promise<KernelFacts['firmware']> {
  for (const path of FIRMWARE_FILES) {
    const text = await textAt(patient, path);
    // The old path holds a note on bookworm that says where the file has gone.
    if (text !== null && /\broot=/.test(text)) return { path, text };
  }
  return null;
}

export function judgeKernel(facts: KernelFacts): readonly Finding[] {
  return [judgeMemoryCgroup(facts), judgeArchitecture(facts)];
}

function judgeMemoryCgroup({ cgroups, memoryController, commandLine, firmware }: KernelFacts): Finding {
  const check = 'memory-cgroup';
  if (cgroups === null) return unknown(check, 'No cgroups are mounted at /sys/fs/cgroup');
  if (memoryController) return ok(check, `Memory limits of containers hold (cgroup v${cgroups})`);
  const by = commandLine.includes('cgroup_disable=memory')
    ? 'The firmware has switched'
    : 'The kernel has switched';
  const seen = `${by} the memory cgroup off (cgroup v${cgroups})`;
  const why = 'Memory limits of containers do nothing: one that leaks takes the whole device down';
  const missing = WORDS.filter((word) => !(firmware?.text ?? commandLine).includes(word));
  if (firmware === null) {
    return problem(check, seen, {
      why,
      remedy:
        'Add `cgroup_enable=memory` to the command line of the kernel (GRUB_CMDLINE_LINUX in /etc/default/grub, then `update-grub`) and reboot',
    });
  }
  if (missing.length === 0) {
    return problem(check, seen, {
      why,
      remedy: `${firmware.path} is right; it counts after a reboot`,
      command: 'reboot',
    });
  }
  return problem(check, seen, {
    why,
    remedy: 'Adds the words to the one line of the file; they count after the reboot',
    command: `sed -i '1s/$/ ${missing.join(' ')}/' ${firmware.path} && reboot`,
  });
}

function judgeArchitecture({ machine, architecture }: KernelFacts): Finding {
  const check = 'architecture';
  if (machine?.startsWith('armv6') === true) {
    return problem(check, `This is an ARMv6 board (${machine}): a Raspberry Pi 1 or Zero`, {
      why: 'Neither Node nor images for armhf run on it: armhf means ARMv7 here',
      remedy: 'Use a Raspberry Pi Zero 2, 2, 3, 4 or 5',
    });
  }
  if (architecture === null) return unknown(check, '`dpkg --print-architecture` does not answer');
  if (!SUPPORTED.includes(architecture)) {
    return warning(check, `The system is ${architecture}`, {
      why: `The agent is tested on ${SUPPORTED.join(', ')}, and images are seldom made for anything else`,
      remedy: 'Install Raspberry Pi OS for arm64',
    });
  }
  return ok(check, `${architecture} on ${machine ?? 'an unnamed machine'}`);
}

export const KERNEL = topic('kernel', gatherKernel, judgeKernel);
