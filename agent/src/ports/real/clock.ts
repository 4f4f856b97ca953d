import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

/** The kernel's clocks. The boot id is read once: it cannot change while a process lives. */
export function realClock(): Clock {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return {
    now: () => ({
      wall: `${new Date().toISOString().slice(0, 19)}Z`,
      uptime: Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]),
      boot,
    }),
    zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    sleep: (milliseconds) => delay(milliseconds),
  };
}
