import type { VirtualPi } from '../../virtual-pi/pi.ts';
import { costOf } from './cost.ts';

/** Milliseconds of one time that the gate says no. */
export interface GateCost {
  readonly wall: number;
  /** Of the shell that the gate is. */
  readonly cpu: number;
  /** Of the whole Pi, when systemd starts the unit and the gate has it skipped. */
  readonly whole: number;
}

const TIMES = 200;
const STARTS = 50;

/** A line of shell, so many times over. */
function repeat(line: string, times: number): string {
  return `i=0; while [ $i -lt ${times} ]; do ${line} >/dev/null 2>&1; i=$((i+1)); done`;
}

/**
 * The gate by itself, and by systemd. In the second, what `systemctl` and its call cost is taken off by as many calls
 * that start nothing: a timer needs neither.
 */
export async function gateCost(pi: VirtualPi): Promise<GateCost> {
  // It must say no, or nothing here is a gate.
  await pi.ok('! /usr/lib/role-agent/gate');
  const alone = await costOf(pi, repeat('/usr/lib/role-agent/gate', TIMES));
  const called = await costOf(pi, repeat('systemctl show -p Id role-agent.service', STARTS));
  const started = await costOf(pi, repeat('systemctl start role-agent.service', STARTS));
  return {
    wall: alone.wall / TIMES,
    cpu: alone.cpu / TIMES,
    whole: (started.whole - called.whole) / STARTS,
  };
}
