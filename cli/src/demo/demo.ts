import type { FleetError } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import { buildParts } from '../build-parts.ts';
import { EXIT, type Exit } from '../exit.ts';
import type { Terminal } from '../terminal.ts';
import { invitation } from './hints.ts';
import { firstReleases, invite, startOverlord, type DemoOverlord } from './overlord.ts';
import { makePlace, type Place } from './place.ts';
import { refuseTakenPort } from './ports.ts';
import { forgetRunning, noteRunning } from './running.ts';
import { groupsOf, intervalOf, ROLES, type Group } from './sample-fleet.ts';
import { makeSampleRepo } from './sample-repo.ts';
import { startSimulator } from './simulator.ts';
import { converge, narrate } from './watch-fleet.ts';

export interface DemoOptions {
  readonly devices: number;
  readonly port: number;
  /** Seconds that the devices have to converge, from when they are switched on. */
  readonly timeout: number;
  /** Ends once all have converged, instead of going on until it is stopped. */
  readonly exitWhenConverged: boolean;
  readonly json: boolean;
  /** Folder that is kept, empty or absent before; null: a temporary one that goes with the demo. */
  readonly data: string | null;
}

export interface DemoPorts {
  readonly terminal: Terminal;
  /** The clone. */
  readonly root: string;
  /** Aborts when somebody stops the demo, with the reason. */
  readonly stopping: AbortSignal;
}

/** The demo: build, sample repo, overlord, simulated Pis, until all have converged; then what to try, and what happens. */
export async function runDemo(options: DemoOptions, { terminal, root, stopping }: DemoPorts): Promise<Exit> {
  await refuseTakenPort(options.port);
  const over = new AbortController();
  const signal = AbortSignal.any([stopping, over.signal]);
  await buildParts(root, terminal, { simulator: true, signal });
  const place = await makePlace(options.data);
  const cleanUp: CleanUp[] = [() => place.remove()];
  try {
    const stage = { root, place, signal, terminal, onDeath: (error: FleetError) => over.abort(error) };
    const { overlord, groups } = await setUp(options, stage, cleanUp);
    const scene = { api: overlord.api, terminal, signal };
    const exit = await converge(scene, options);
    if (exit !== EXIT.done || options.exitWhenConverged) return exit;
    const show = (text: string): void => (options.json ? terminal.aside(text) : terminal.out(text));
    const sudo = terminal.env['SUDO_USER'] !== undefined;
    show(invitation({ ...overlord, ...options, repo: place.repo, fleet: join(root, 'fleet'), groups, sudo }));
    await narrate(scene, show).catch((thrown: unknown) => {
      // Somebody has seen enough: that is how a demo ends well.
      if (!stopping.aborted) throw thrown;
    });
    return EXIT.done;
  } finally {
    terminal.aside('Stopping …\n');
    for (const undo of cleanUp.reverse()) await undo();
  }
}

type CleanUp = () => Promise<void>;

interface Stage {
  readonly root: string;
  readonly place: Place;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly onDeath: (error: FleetError) => void;
}

/** Everything that runs. What undoes it is added to `cleanUp` as it comes. */
async function setUp(
  { devices, port }: DemoOptions,
  { root, place, terminal, signal, onDeath }: Stage,
  cleanUp: CleanUp[],
): Promise<{ readonly overlord: DemoOverlord; readonly groups: readonly Group[] }> {
  await makeSampleRepo({ root, path: place.repo, interval: intervalOf(devices) });
  terminal.aside(`Starting the overlord on http://localhost:${port}/ …\n`);
  const overlord = await startOverlord({ root, port, ...place.overlord, repo: place.repo, signal, onDeath });
  cleanUp.push(() => overlord.child.stop());
  await firstReleases(
    overlord.api,
    ROLES.map(({ name }) => name),
  );
  const groups = groupsOf(devices);
  const invitations = await invite(overlord.api, groups);
  terminal.aside(`Switching on ${devices} simulated ${devices === 1 ? 'Pi' : 'Pis'} …\n`);
  const { control, simulatorLog: log } = place;
  const simulator = startSimulator({
    root,
    overlord: overlord.deviceUrl,
    control,
    log,
    invitations,
    onDeath,
  });
  cleanUp.push(() => simulator.stop());
  await noteRunning(root, port, { pid: process.pid, control });
  cleanUp.push(() => forgetRunning(root, port));
  return { overlord, groups };
}
