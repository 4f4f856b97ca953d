import type { Clock } from '@metrica-fleet/agent';
import type { Timeline } from '../timeline.ts';

/** Seconds that a kernel has been up when the first of our units starts. */
const KERNEL = 9;

/** The clocks of one boot. What people read is our own time; what is waited for passes as the timeline does. */
export function hostClock(timeline: Timeline, boot: string): Clock {
  const started = timeline.now();
  return {
    now: () => ({
      wall: `${new Date().toISOString().slice(0, 19)}Z`,
      uptime: Math.round((timeline.now() - started + KERNEL) * 100) / 100,
      boot,
    }),
    zone: () => 'UTC',
    sleep: (milliseconds) => timeline.sleep(milliseconds / 1_000),
  };
}
