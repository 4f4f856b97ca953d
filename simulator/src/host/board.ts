import type { Disk } from '@metrica-fleet/agent';
import type { Chance } from '../random.ts';

/** The hardware of one device. */
export interface Board {
  /** As the device tree names it. */
  readonly model: string;
  /** Debian's name. */
  readonly arch: 'arm64' | 'armhf';
  /** MiB. */
  readonly memory: number;
  readonly serial: string;
  readonly machineId: string;
  readonly mac: string;
}

type Make = Pick<Board, 'model' | 'arch' | 'memory'>;

/** What fleets are made of, about as often as it is met. */
const MAKES: readonly [Make, ...Make[]] = [
  { model: 'Raspberry Pi 4 Model B Rev 1.4', arch: 'arm64', memory: 4_096 },
  { model: 'Raspberry Pi 4 Model B Rev 1.5', arch: 'arm64', memory: 2_048 },
  { model: 'Raspberry Pi 4 Model B Rev 1.5', arch: 'arm64', memory: 8_192 },
  { model: 'Raspberry Pi 5 Model B Rev 1.0', arch: 'arm64', memory: 8_192 },
  { model: 'Raspberry Pi 5 Model B Rev 1.1', arch: 'arm64', memory: 4_096 },
  { model: 'Raspberry Pi 3 Model B Plus Rev 1.3', arch: 'arm64', memory: 1_024 },
  { model: 'Raspberry Pi Zero 2 W Rev 1.0', arch: 'arm64', memory: 512 },
  { model: 'Raspberry Pi Compute Module 4 Rev 1.1', arch: 'arm64', memory: 4_096 },
  { model: 'Raspberry Pi 3 Model B Rev 1.2', arch: 'armhf', memory: 1_024 },
];

/** Bytes of the card's file system: 32 GB as they are sold. */
export const CARD = 31_300_000_000;
/** What the firmware keeps for itself and the GPU. MiB. */
const RESERVED = 76;

export function makeBoard(chance: Chance): Board {
  const make = chance.pick(MAKES);
  const mac = chance.hex(6).replaceAll(/(..)(?=.)/g, '$1:');
  return {
    ...make,
    serial: `10000000${chance.hex(8)}`,
    machineId: chance.hex(32),
    mac: `dc:a6:32:${mac}`,
  };
}

/** Puts the files there by which a system shows its hardware. */
export async function showBoard(disk: Disk, board: Board): Promise<void> {
  const files = {
    '/proc/device-tree/model': `${board.model}\0`,
    '/proc/device-tree/serial-number': `${board.serial}\0`,
    '/proc/meminfo': `MemTotal:       ${(board.memory - RESERVED) * 1024} kB\n`,
    '/sys/class/net/eth0/address': `${board.mac}\n`,
    '/etc/machine-id': `${board.machineId}\n`,
  };
  for (const [path, content] of Object.entries(files)) await disk.write('board.file', path, { content });
}
