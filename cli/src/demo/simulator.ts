import { FleetError } from '@metrica-fleet/protocol';
import { request } from 'node:http';
import { join } from 'node:path';
import { startChild, type Child } from './child.ts';
import type { Invitation } from './overlord.ts';

export interface SimulatorOptions {
  /** The clone. */
  readonly root: string;
  readonly overlord: string;
  /** Path of the socket for its controls. */
  readonly control: string;
  readonly log: string;
  readonly invitations: readonly Invitation[];
  readonly onDeath: (error: FleetError) => void;
}

/** Seconds that pass on a device in one of ours: enough to watch, and not so quick that nobody sees a stage. */
const SPEED = '4';

/** Starts the simulated Pis: the real agent on simulated hosts. They are switched on one after the other. */
export function startSimulator(options: SimulatorOptions): Child {
  const { root, overlord, control, log, invitations, onDeath } = options;
  return startChild({
    name: 'The simulator',
    argv: [
      join(root, 'simulator/dist/src/main.js'),
      ...['--overlord', overlord, '--control', control, '--speed', SPEED],
    ],
    input: `${JSON.stringify(invitations)}\n`,
    log,
    onLine: () => undefined,
    onDeath,
  });
}

/** What can be done to a simulated Pi. */
export const DEEDS = ['cut', 'restore', 'reboot'] as const;
export type Deed = (typeof DEEDS)[number];

/** Milliseconds for an answer of the simulator. */
const DEADLINE = 10_000;

/** Does something to a simulated Pi, through the simulator's socket. Throws where there is none of that name. */
export async function interfere(socket: string, device: string, deed: Deed): Promise<void> {
  const status = await new Promise<number>((resolve, reject) => {
    const sent = request(
      {
        socketPath: socket,
        path: `/devices/${encodeURIComponent(device)}/${deed}`,
        method: 'POST',
        timeout: DEADLINE,
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${DEADLINE / 1_000} s`)));
    sent.on('error', reject);
    sent.end();
  }).catch((thrown: unknown) => {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new FleetError({
      code: 'source-unreachable',
      what: `The simulator does not answer: ${reason}`,
      where: socket,
    });
  });
  if (status === 200) return;
  if (status === 404) {
    throw new FleetError({
      code: 'input-invalid',
      what: `No simulated Pi is called «${device}»`,
      remedy: 'They are pi-0001, pi-0002, and so on.',
    });
  }
  throw new FleetError({ code: 'command-failed', what: `The simulator answered ${status}`, where: socket });
}
