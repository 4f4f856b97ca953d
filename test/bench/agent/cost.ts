import type { VirtualPi } from '../../virtual-pi/pi.ts';

/** What a command took on the Pi. Milliseconds and kilobytes (1024 bytes). */
export interface Cost {
  readonly wall: number;
  /** Of the command and all that it waited for, user and system. In steps of 10 ms. */
  readonly cpu: number;
  /** The largest of its processes. */
  readonly rss: number;
  /** Of the whole Pi until half a second later: with what its engine and its systemd did for the command. */
  readonly whole: number;
}

/** CPU of everything in the Pi's control group, in nanoseconds, under cgroup v1 and v2. */
const CPU = `cpu() {
  cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null ||
    awk '/^usage_usec/ { printf "%d000\\n", $2 }' /sys/fs/cgroup/cpu.stat
}`;

/** Measures a shell command, which has to succeed. */
export async function costOf(pi: VirtualPi, command: string): Promise<Cost> {
  const script = `${CPU}
whole=$(cpu); start=$(date +%s%N)
/usr/bin/time -q -o /tmp/time -f '%U %S %M' sh -c "$COMMAND" >/tmp/out 2>&1 || { cat /tmp/out; exit 1; }
end=$(date +%s%N); sleep 0.5
echo $start $end $whole $(cpu) $(cat /tmp/time)`;
  const out = await pi.ok(`COMMAND=$(cat); ${script}`, { input: command, deadline: 120_000 });
  const [start, end, before, after, user, system, rss] = numbers(out);
  return { wall: (end - start) / 1e6, cpu: (user + system) * 1e3, rss, whole: (after - before) / 1e6 };
}

type Seven = [number, number, number, number, number, number, number];

function numbers(out: string): Seven {
  const found = out.trim().split(/\s+/).map(Number);
  if (found.length !== 7 || found.some((one) => Number.isNaN(one)))
    throw new Error(`The Pi measured nothing: ${out}`);
  return found as Seven;
}
