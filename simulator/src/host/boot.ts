import {
  buildContext,
  pathsUnder,
  realHttp,
  run,
  runPullWorker,
  tlsSessionsIn,
  tryToEnrol,
  type Clock,
  type Disk,
  type Ports,
} from '@metrica-fleet/agent';
import { MemoryEngine, type EngineStore } from '../engine/memory-engine.ts';
import { registryBehind } from '../engine/registry.ts';
import type { Chance } from '../random.ts';
import type { Timeline } from '../timeline.ts';
import type { Board } from './board.ts';
import { gate } from './gate.ts';
import { hostClock } from './host-clock.ts';
import type { HostJournal } from './host-log.ts';
import { hostPrograms } from './programs.ts';
import { listenToSignals } from './signals.ts';
import { Supply } from './supply.ts';
import type { Uplink } from './uplink.ts';

/** What outlives a boot, and what it stands in. */
export interface Machine {
  readonly name: string;
  readonly board: Board;
  readonly disk: Disk;
  readonly store: EngineStore;
  readonly journal: HostJournal;
  readonly uplink: Uplink;
  readonly timeline: Timeline;
  /** Megabytes in a second that its line carries. */
  readonly rate: number;
  readonly overlord: { readonly url: string; readonly ca: string | null };
  readonly reboot: () => void;
  readonly joined: () => void;
  /** A run ended by an exception: a bug of the agent, or of the simulator. */
  readonly crashed: (thrown: unknown) => void;
}

/** Everything lies on a disk of its own, hence where a device has it. */
export const PATHS = pathsUnder('/');

/** Milliseconds of `role-agent.timer` and of `role-agent-enrol.service`. */
const FIRST_LOOK = 6_000;
const MINUTE = 60_000;

/** One boot of a device: its ports, and the units that start the agent. Ends with the power. */
export class Boot {
  private readonly machine: Machine;
  private readonly supply = new Supply();
  private readonly clock: Clock;
  private readonly disk: Disk;
  private readonly engine: MemoryEngine;
  private readonly ports: Ports;
  private readonly chance: Chance;
  private pull: Supply | null = null;
  private looking = false;
  private woken = false;

  /** `chance` is for this boot alone; `before`: uptime in seconds at which the one before it ended. */
  constructor(machine: Machine, { chance, before }: { readonly chance: Chance; readonly before: number }) {
    const { disk, journal, store, timeline, uplink } = machine;
    this.machine = machine;
    this.chance = chance;
    this.clock = this.supply.feeds(hostClock(timeline, bootId(chance)));
    this.disk = this.supply.feeds(disk);
    this.engine = new MemoryEngine({ store, disk: this.disk, clock: this.clock, chance }, before);
    const http = uplink.carries(realHttp(tlsSessionsIn(this.disk, PATHS.run.tlsSession)));
    this.ports = {
      clock: this.clock,
      disk: this.disk,
      engine: this.supply.feeds(this.engine),
      exec: this.supply.feeds(hostPrograms(this.system())),
      http: this.supply.feeds({
        send: async (request) => {
          const reply = await http.send(request);
          return { ...reply, body: this.supply.flow(reply.body) };
        },
      }),
      log: journal.open(),
      network: this.supply.feeds(this.engine),
    };
  }

  /** Starts the units. */
  start(): void {
    const { clock, disk, chance } = this;
    const { overlord, timeline, uplink } = this.machine;
    const { speed } = timeline;
    this.supply.onCut(listenToSignals({ clock, disk, paths: PATHS, uplink, overlord, chance, speed }));
    void this.join();
    void this.everyMinute();
  }

  /** The power is gone. Returns the uptime in seconds. */
  end(): number {
    const { uptime } = this.clock.now();
    this.pull?.cut();
    this.supply.cut();
    return uptime;
  }

  /** Somebody touched the wake flag: `role-agent.path`. */
  wake(): void {
    this.woken = true;
    void this.look();
  }

  private async everyMinute(): Promise<void> {
    await this.clock.sleep(FIRST_LOOK);
    for (;;) {
      void this.look();
      await this.clock.sleep(MINUTE);
    }
  }

  private async join(): Promise<void> {
    if ((await this.disk.stat(PATHS.invitation)) === null) return;
    for (;;) {
      const { done } = await tryToEnrol({ ports: this.ports, paths: PATHS });
      if (done) return this.machine.joined();
      await this.clock.sleep(MINUTE);
    }
  }

  /** `role-agent.service`: one run at a time, if the gate says so; a wake that came meanwhile starts another. */
  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    do {
      this.woken = false;
      const { clock, disk } = this;
      const verdict = await gate({
        disk,
        paths: PATHS,
        uptime: clock.now().uptime,
        running: () => this.engine.running(),
      });
      if (verdict !== 'no') await this.runOnce(verdict === 'woken');
    } while (this.woken);
    this.looking = false;
  }

  private async runOnce(eager: boolean): Promise<void> {
    const { name, journal } = this.machine;
    try {
      await this.disk.remove('unit.due', PATHS.run.nextDue);
      const ports = { ...this.ports, log: journal.open() };
      const context = await buildContext({ ports, paths: PATHS, hostname: name });
      await run(context, { insist: false, eager });
    } catch (thrown) {
      this.machine.crashed(thrown);
    }
  }

  private system(): Parameters<typeof hostPrograms>[0] {
    const { board, disk, journal, reboot } = this.machine;
    return {
      board,
      disk,
      journal: () => journal.tail(),
      startPull: () => void this.startPull(),
      isPulling: () => this.pull !== null,
      reboot,
    };
  }

  /** `role-agent-pull.service`, restarted: what it was at is dropped. */
  private async startPull(): Promise<void> {
    this.pull?.cut();
    const supply = new Supply();
    this.pull = supply;
    const { uplink, store, journal, rate } = this.machine;
    const clock = supply.feeds(this.clock);
    const ports = { clock, disk: supply.feeds(this.disk), log: journal.open() };
    const puller = registryBehind({ clock, uplink, images: store.images, rate });
    try {
      await runPullWorker({ ports, puller, paths: PATHS });
    } catch (thrown) {
      this.machine.crashed(thrown);
    }
    this.pull = null;
  }
}

/** As the kernel makes them. */
function bootId(chance: Chance): string {
  return chance.hex(32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
