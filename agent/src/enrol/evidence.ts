import type { Evidence } from '@metrica-fleet/protocol/api';
import type { Ports } from '../ports/ports.ts';

type Reading = Pick<Ports, 'disk' | 'exec'>;

/** What the board says of itself, by which the overlord recognises a re-flashed or a cloned device. */
export async function collectEvidence(ports: Reading): Promise<Evidence> {
  return {
    serial: await serialOf(ports),
    machineId: await machineId(ports),
    model: cut(await firstOf(ports, ['/proc/device-tree/model', '/sys/class/dmi/id/product_name']), 128),
    mac: await macOf(ports),
    arch: await archOf(ports),
  };
}

/** Serial number of the board, or null where it has none (a virtual machine). */
export async function serialOf(ports: Pick<Reading, 'disk'>): Promise<string | null> {
  const fromTree = await firstOf(ports, ['/proc/device-tree/serial-number']);
  const cpuinfo = (await ports.disk.readText('/proc/cpuinfo')) ?? '';
  const serial = fromTree ?? /^Serial\s*:\s*(\S+)$/m.exec(cpuinfo)?.[1] ?? null;
  return serial === null || /^0*$/.test(serial) ? null : cut(serial, 64);
}

/** Null on a golden image that has not got its own yet. */
async function machineId(ports: Reading): Promise<string | null> {
  const id = await firstOf(ports, ['/etc/machine-id']);
  return id === 'uninitialized' ? null : cut(id, 64);
}

/** The wired card, else the wireless one: names of the kernel, of systemd and of Raspberry Pi OS. */
async function macOf({ disk }: Reading): Promise<string | null> {
  const names = (await disk.list('/sys/class/net')) ?? [];
  const card = names.find((name) => /^e(th|n)/.test(name)) ?? names.find((name) => name.startsWith('wl'));
  return card === undefined ? null : cut(await firstOf({ disk }, [`/sys/class/net/${card}/address`]), 32);
}

async function archOf({ exec }: Reading): Promise<string> {
  const argv = ['dpkg', '--print-architecture'] as const;
  const { code, stdout } = await exec.run({ label: 'enrol.arch', argv: [...argv], deadline: 10_000 });
  return code === 0 ? stdout.toString('utf8').trim().slice(0, 32) : 'unknown';
}

/** The first of the files that says something; the device tree ends its strings with a NUL. */
async function firstOf({ disk }: Pick<Reading, 'disk'>, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const text = (await disk.readText(path))?.replaceAll('\0', '').trim() ?? '';
    if (text !== '') return text;
  }
  return null;
}

function cut(text: string | null, length: number): string | null {
  return text === null ? null : text.slice(0, length);
}
