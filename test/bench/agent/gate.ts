import type { VirtualPi } from '../../virtual-pi/pi.ts';
import { costOf } from './cost.ts';

/** Milliseconds of one time that the gate says no. */
export interface GateCost {
  readonly wall: number;
  /** Of the shell that the gate is. */
  readonly cpu: number;
  /** Of the whole Pi, when the timer starts the unit and the gate has it skipped: systemd's share is in it. */
  readonly whole: number;
}

const GATE = '/usr/lib/role-agent/gate';
const TIMES = 200;
const MANY_GATES = `i=0; while [ $i -lt ${TIMES} ]; do ${GATE}; i=$((i + 1)); done; true`;

/** Seconds of the timer, and of no timer. */
const WINDOW = 10;

/** The timer hurries to ten times a second, and the gate, otherwise the same, writes a line each time, to be counted. */
const HURRY = `set -e
mkdir -p /run/systemd/system/role-agent.timer.d /run/systemd/system/role-agent.service.d
printf '[Timer]\\nOnBootSec=\\nOnUnitActiveSec=\\nOnActiveSec=0\\nOnUnitActiveSec=100ms\\nAccuracySec=1ms\\n' \
  > /run/systemd/system/role-agent.timer.d/bench.conf
printf '[Service]\\nExecCondition=\\nExecCondition=+/opt/bench-gate\\n' \
  > /run/systemd/system/role-agent.service.d/bench.conf
sed '1a echo >> /run/bench-gates' ${GATE} > /opt/bench-gate
chmod +x /opt/bench-gate
systemctl daemon-reload`;

const CALM = `rm -r /run/systemd/system/role-agent.timer.d /run/systemd/system/role-agent.service.d
systemctl daemon-reload`;

/** The gate by itself, and by the timer. Nothing must be due, and the timer must have been stopped. */
export async function gateCost(pi: VirtualPi): Promise<GateCost> {
  // It must say no, or nothing here is a gate.
  await pi.ok(`! ${GATE}`);
  const { wall, cpu } = await costOf(pi, MANY_GATES);
  await pi.ok(HURRY);
  const idle = await costOf(pi, `sleep ${WINDOW}`);
  await pi.ok('systemctl start role-agent.timer; rm -f /run/bench-gates');
  const busy = await costOf(pi, `sleep ${WINDOW}`);
  const times = Number(await pi.ok('systemctl stop role-agent.timer; wc -l < /run/bench-gates'));
  await pi.ok(CALM);
  if (times < WINDOW) throw new Error(`The timer started the gate ${times} times in ${WINDOW} s`);
  return { wall: wall / TIMES, cpu: cpu / TIMES, whole: (busy.whole - idle.whole) / times };
}
