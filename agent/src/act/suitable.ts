import { FleetError, type Role } from '@metrica-fleet/protocol';
import type { Context } from './context.ts';

type Requires = NonNullable<Role['requires']>;

/**
 * What a board has is a little less than what is printed on it: the firmware keeps memory for the GPU, a card of
 * 32 GB holds 29 GiB, the file system keeps blocks. A requirement counts as met from this share on.
 */
const TOLERANCE = 0.85;

/** Throws `role-unsuitable` unless this device has what `requires:` of the role asks for. Says all that is missing at once. */
export async function requireSuitable(context: Pick<Context, 'ports' | 'paths'>, role: Role): Promise<void> {
  const requires = role.requires ?? {};
  const faults = [
    await archFault(context, requires),
    await modelFault(context, requires),
    await memoryFault(context, requires),
    await diskFault(context, requires),
    ...(await deviceFaults(context, requires)),
  ].filter((fault) => fault !== null);
  if (faults.length === 0) return;
  throw new FleetError({
    code: 'role-unsuitable',
    what: `This device does not suit the role ${role.name}: ${faults.join('; ')}`,
    where: `roles/${role.name}/role.yaml: requires`,
    remedy: 'Give the device another role in devices/<device>.yaml, or correct `requires:`.',
  });
}

type Facts = Pick<Context, 'ports' | 'paths'>;

/** Debian's name of the architecture, since a Pi can run a 32-bit system on a 64-bit kernel. */
async function archFault({ ports }: Facts, { arch }: Requires): Promise<string | null> {
  if (arch === undefined) return null;
  const { code, stdout } = await ports.exec.run({
    label: 'stage.arch',
    argv: ['dpkg', '--print-architecture'],
    deadline: 10_000,
  });
  const mine = code === 0 ? stdout.toString('utf8').trim() : 'unknown';
  return arch.some((one) => one === mine) ? null : `architecture ${arch.join(' or ')}, here is ${mine}`;
}

/** A model matches where the device tree's name contains it: `Raspberry Pi 4` fits every memory size and revision. */
async function modelFault({ ports }: Facts, { models }: Requires): Promise<string | null> {
  if (models === undefined) return null;
  const text = await ports.disk.readText('/proc/device-tree/model');
  const mine = (text ?? 'unknown').replaceAll('\0', '').trim();
  return models.some((model) => mine.includes(model)) ? null : `${models.join(' or ')}, here is ${mine}`;
}

async function memoryFault({ ports }: Facts, { memory }: Requires): Promise<string | null> {
  if (memory === undefined) return null;
  const text = (await ports.disk.readText('/proc/meminfo')) ?? '';
  const mine = Number(/^MemTotal:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
  return mine >= bytesOf(memory) * TOLERANCE ? null : `${memory} of memory, here are ${rounded(mine)}`;
}

/** The size of the file system and not what is free: otherwise a role would stop to suit once its images are here. */
async function diskFault({ ports, paths }: Facts, { disk }: Requires): Promise<string | null> {
  if (disk === undefined) return null;
  const { code, stdout } = await ports.exec.run({
    label: 'stage.disk-size',
    argv: ['df', '--block-size=1', '--output=size', paths.releases],
    deadline: 10_000,
  });
  const mine = code === 0 ? Number(stdout.toString('utf8').split('\n')[1]) : 0;
  return mine >= bytesOf(disk) * TOLERANCE ? null : `a disk of ${disk}, here are ${rounded(mine)}`;
}

async function deviceFaults({ ports }: Facts, { devices = [] }: Requires): Promise<(string | null)[]> {
  return await Promise.all(
    devices.map(async (device) =>
      (await ports.disk.stat(device)) === null ? `${device}, which is not here` : null,
    ),
  );
}

const UNITS = { Mi: 1024 ** 2, Gi: 1024 ** 3, M: 1000 ** 2, G: 1000 ** 3 } as const;

/** Bytes of a size as `role.yaml` has it: `512Mi`, `2G`. */
function bytesOf(size: string): number {
  const unit = /[A-Za-z]+$/.exec(size)?.[0] as keyof typeof UNITS;
  return Number.parseInt(size, 10) * UNITS[unit];
}

function rounded(bytes: number): string {
  return `${Math.floor(bytes / UNITS.Mi)}Mi`;
}
