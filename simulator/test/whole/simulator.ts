import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceView } from '../../src/device.ts';
import type { FleetEvent } from '../../src/fleet.ts';
import type { Overlord } from './overlord.ts';
import { Program } from './program.ts';

type Line = FleetEvent | { readonly event: 'ready' };
type Event<K extends Line['event']> = Extract<Line, { event: K }>;

export interface Simulation {
  readonly invitations: readonly { readonly token: string; readonly devices: number }[];
  /** With TLS and the overlord's own authority; else plain. */
  readonly tls: boolean;
  readonly faults: 'none' | 'some';
  /** Boards of the same seed are the same boards: for an overlord they would be copies. */
  readonly seed: string;
}

/** Device seconds in one of ours. */
const SPEED = '25';

/** The simulator as `fleet demo` starts it. */
export class Simulator {
  private readonly program: Program<Line>;
  private readonly controls: string;
  private readonly heard: Line[] = [];

  constructor(overlord: Overlord, { invitations, tls, faults, seed }: Simulation) {
    this.controls = join(overlord.data, `controls-${tls ? 'tls' : 'plain'}`);
    const where = tls ? { overlord: overlord.url, ca: overlord.ca } : { overlord: overlord.local };
    const options = { ...where, seed, speed: SPEED, faults, control: this.controls };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.program = new Program<Line>('simulator/dist/src/main.js', args, {
      input: `${JSON.stringify(invitations)}\n`,
      heard: (line) => this.heard.push(line),
    });
  }

  /** What it has said of one kind so far. */
  events<K extends Line['event']>(kind: K): readonly Event<K>[] {
    return this.heard.filter((line): line is Event<K> => line.event === kind);
  }

  /** Devices on which the agent wrote such a line into its history, the first first. */
  devicesWith(event: string, commit: string): readonly string[] {
    const lines = this.events('history').filter(
      ({ entry }) => entry.event === event && entry.commit === commit,
    );
    return [...new Set(lines.map(({ device }) => device))];
  }

  /** Waits until all devices are as they should be; a test that waits in vain runs into its own limit. */
  async all(good: (device: DeviceView) => boolean): Promise<void> {
    while (this.events('ready').length === 0) await sleep(50);
    for (;;) {
      const devices = await this.ask<readonly DeviceView[]>('GET', '/devices');
      if (devices.every((device) => good(device))) return;
      await sleep(300);
    }
  }

  /** Asks the controls. */
  ask<T>(method: string, path: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.controls, method, path }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
        answer.on('end', () => resolve(JSON.parse(text) as T));
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  /** Ends it by SIGTERM; returns its exit code. */
  end(): Promise<number | null> {
    return this.program.end();
  }
}
