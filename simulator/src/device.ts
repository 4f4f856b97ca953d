import type { Status } from '@metrica-fleet/protocol';
import type { EngineStore } from './engine/memory-engine.ts';
import type { Faults } from './faults.ts';
import { makeBoard, showBoard, type Board } from './host/board.ts';
import { Boot, PATHS, type Machine } from './host/boot.ts';
import { HostJournal } from './host/host-log.ts';
import { MemoryDisk } from './host/memory-disk.ts';
import { Uplink } from './host/uplink.ts';
import { chanceOf } from './random.ts';
import type { Timeline } from './timeline.ts';

/** What happens on a device, for whoever watches. */
export type DeviceEvent =
  | { readonly event: 'joined'; readonly device: string }
  | { readonly event: 'history'; readonly device: string; readonly entry: HistoryLine }
  | { readonly event: 'network'; readonly device: string; readonly up: boolean }
  | { readonly event: 'power'; readonly device: string; readonly boot: number }
  | { readonly event: 'crash'; readonly device: string; readonly reason: string };

/** A line of the agent's history; the agent has more in it. */
interface HistoryLine {
  readonly event: string;
  readonly commit?: string;
}

/** A device as the controls show it. */
export interface DeviceView {
  readonly name: string;
  readonly model: string;
  readonly joined: boolean;
  readonly network: 'up' | 'cut';
  readonly power: 'on' | 'off';
  readonly boots: number;
  /** Of the agent's own status; null before its first run. */
  readonly state: string | null;
  readonly health: string | null;
  readonly role: string | null;
  readonly commit: string | null;
}

export interface DeviceSetup {
  readonly name: string;
  readonly seed: number;
  readonly faults: Faults;
  /** Text of `enroll.json`. */
  readonly invitation: string;
  readonly overlord: Machine['overlord'];
  readonly timeline: Timeline;
  readonly tell: (event: DeviceEvent) => void;
}

/** Megabytes in a second that a line carries, from and to: LTE in a cellar, a cable in an office. */
const RATE = { from: 2, to: 12 } as const;
/** Seconds from the plug to the first unit. */
const STARTING = { from: 8, to: 25 } as const;

/** One simulated device: what outlives its boots, and the plug. */
export class Device {
  readonly name: string;
  private readonly setup: DeviceSetup;
  private readonly board: Board;
  private readonly disk: MemoryDisk;
  private readonly uplink: Uplink;
  private readonly machine: Machine;
  private boot: Boot | null = null;
  private boots = 0;
  /** Uptime at the end of the last boot. Seconds. */
  private before = 0;
  private isJoined = false;
  /** The agent's own, as it wrote it last in this boot. */
  private status: string | null = null;
  /** Commits whose update had its fault already: a fault happens once an update. */
  private readonly struck = new Set<string>();

  constructor(setup: DeviceSetup) {
    const { name, seed, faults, overlord, timeline, tell } = setup;
    this.name = name;
    this.setup = setup;
    this.board = makeBoard(chanceOf(seed, name, 'board'));
    this.disk = new MemoryDisk((path, text) => this.written(path, text));
    const line = chanceOf(seed, name, 'line');
    this.uplink = new Uplink(() => line.happens(faults.loss));
    const store: EngineStore = { images: new Set(), containers: [] };
    this.machine = {
      ...{ name, overlord, timeline, store },
      board: this.board,
      disk: this.disk,
      journal: new HostJournal(),
      uplink: this.uplink,
      rate: chanceOf(seed, name, 'rate').between(RATE.from, RATE.to) / faults.slower,
      reboot: () => this.reboot(),
      joined: () => {
        this.isJoined = true;
        tell({ event: 'joined', device: name });
      },
      crashed: (thrown) => tell({ event: 'crash', device: name, reason: reasonOf(thrown) }),
    };
  }

  /** Puts the card in and plugs it in. */
  async install(): Promise<void> {
    await showBoard(this.disk, this.board);
    await this.disk.write('install.invitation', PATHS.invitation, { content: this.setup.invitation });
    this.plugIn();
  }

  cut(): void {
    this.uplink.cut();
    this.setup.tell({ event: 'network', device: this.name, up: false });
  }

  restore(): void {
    this.uplink.restore();
    this.setup.tell({ event: 'network', device: this.name, up: true });
  }

  /** Pulls the plug and puts it in again. Nothing happens to a device that is off anyway. */
  reboot(): void {
    if (this.boot === null) return;
    this.unplug();
    this.plugIn();
  }

  /** Pulls the plug. */
  unplug(): void {
    this.before = this.boot?.end() ?? this.before;
    this.boot = null;
    this.status = null;
  }

  view(): DeviceView {
    const status: Status | null = this.status === null ? null : JSON.parse(this.status);
    return {
      name: this.name,
      model: this.board.model,
      joined: this.isJoined,
      network: this.uplink.up ? 'up' : 'cut',
      power: this.boot === null ? 'off' : 'on',
      boots: this.boots,
      state: status?.state ?? null,
      health: status?.health ?? null,
      role: status?.running?.role ?? null,
      commit: status?.running?.commit ?? null,
    };
  }

  private plugIn(): void {
    const { seed, timeline } = this.setup;
    this.boots += 1;
    const chance = chanceOf(seed, this.name, 'boot', String(this.boots));
    timeline.after(chance.between(STARTING.from, STARTING.to), () => {
      const boot = new Boot(this.machine, { chance, before: this.before });
      this.boot = boot;
      this.setup.tell({ event: 'power', device: this.name, boot: this.boots });
      // The memory is empty after a power cut.
      void this.disk.remove('boot.memory', '/run').then(() => boot.start());
    });
  }

  private written(path: string, text: string): void {
    if (path === PATHS.run.wake) this.boot?.wake();
    if (path === PATHS.run.status) this.status = text;
    if (path !== PATHS.history) return;
    const entry: HistoryLine = JSON.parse(text);
    this.setup.tell({ event: 'history', device: this.name, entry });
    this.strike(entry);
  }

  private strike({ event, commit = '' }: HistoryLine): void {
    const { faults, timeline } = this.setup;
    const { powerCut, lineCut } = faults;
    if (this.struck.has(commit)) return;
    if (powerCut?.during === event) {
      this.struck.add(commit);
      timeline.after(powerCut.after, () => this.reboot());
    }
    if (lineCut !== null && event === 'update-started') {
      this.struck.add(commit);
      timeline.after(lineCut.after, () => this.cut());
      timeline.after(lineCut.after + lineCut.lasts, () => this.restore());
    }
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
