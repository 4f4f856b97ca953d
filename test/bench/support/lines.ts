import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SOCKET } from '../../virtual-pi/places.ts';
import type { VirtualPi } from '../../virtual-pi/pi.ts';

/** Runs a program on the Pi until it is stopped, and hands over what it prints, line by line. */
export function followLines(
  pi: VirtualPi,
  argv: readonly string[],
  take: (line: string) => void,
): { readonly stop: () => void } {
  const child = spawn('docker', ['-H', `unix://${SOCKET}`, 'exec', pi.container, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', take);
  return { stop: () => child.kill('SIGKILL') };
}
