import { FleetError } from '@metrica-fleet/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type Exit } from '../exit.ts';
import type { FleetApi } from '../fleet-api.ts';
import type { Terminal } from '../terminal.ts';
import { countConverged, progressOf, stragglers } from './convergence.ts';
import { newsOf, type Look } from './news.ts';

/** A fleet that is watched. */
export interface Scene {
  readonly api: FleetApi;
  readonly terminal: Terminal;
  /** Ends the watching, by throwing its reason. */
  readonly signal: AbortSignal;
}

export interface Goal {
  readonly devices: number;
  /** Seconds that they have, from now on. */
  readonly timeout: number;
  /** Whether the result is printed as one line of JSON. */
  readonly json: boolean;
}

/** Milliseconds between two looks at the fleet. */
const LOOK = 1_000;
/** Names in the message about those that have not converged. */
const NAMED = 5;

/** Shows progress until every device is healthy on what it should have, or the time is over. */
export async function converge(
  { api, signal, terminal }: Scene,
  { devices, timeout, json }: Goal,
): Promise<Exit> {
  const begun = performance.now();
  const elapsed = (): number => Math.round((performance.now() - begun) / 100) / 10;
  let shown = '';
  let converged = 0;
  while (converged < devices && elapsed() < timeout) {
    const { joined, healthy, others } = await progressOf(api);
    const now = `${joined} of ${devices} joined, ${healthy} healthy${others === '' ? '' : `, ${others}`}`;
    if (now !== shown) terminal.aside(`${elapsed().toFixed(0).padStart(4)} s  ${now}\n`);
    shown = now;
    if (healthy >= devices) converged = await countConverged(api);
    if (converged < devices) await pause(LOOK, signal);
  }
  const done = converged >= devices;
  if (!done) converged = await countConverged(api);
  const seconds = elapsed();
  if (done) terminal.aside(`All ${devices} have converged, ${seconds} s after they were switched on.\n`);
  else {
    const late = await stragglers(api, NAMED);
    const missing = late.length === 0 ? '' : `: ${late.join(', ')}`;
    terminal.aside(`fleet: ${converged} of ${devices} have converged within ${timeout} s${missing}\n`);
  }
  if (json) terminal.out(`${JSON.stringify({ schemaVersion: 1, devices, converged, seconds })}\n`);
  return done ? EXIT.done : EXIT.timedOut;
}

/** Tells what happens in the fleet until somebody stops the demo. An overlord that does not answer now may do so soon. */
export async function narrate({ api, signal }: Scene, show: (text: string) => void): Promise<void> {
  const tell = (line: string): void => show(`${new Date().toTimeString().slice(0, 8)}  ${line}\n`);
  let before = await look(api);
  for (let silent = false; ;) {
    await pause(LOOK, signal);
    const after = await look(api).catch((thrown: unknown) => {
      signal.throwIfAborted();
      if (thrown instanceof FleetError) return thrown;
      throw thrown;
    });
    if (after instanceof FleetError) {
      if (!silent) tell(after.problem.what);
      silent = true;
      continue;
    }
    for (const line of newsOf(before, after)) tell(line);
    before = after;
    silent = false;
  }
}

async function look(api: FleetApi): Promise<Look> {
  const [rollouts, { devices }, { events }] = await Promise.all([
    api.call('listRollouts', { query: { limit: '20' } }),
    api.call('deviceMap'),
    api.call('overview'),
  ]);
  const states = new Map(devices.map(([, name, state]) => [name, state]));
  return { rollouts: rollouts.items, states, events };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}
