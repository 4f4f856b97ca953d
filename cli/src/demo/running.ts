import { FleetError } from '@metrica-fleet/protocol';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A demo that runs, as `fleet demo cut` finds it from another terminal. */
export interface Running {
  readonly pid: number;
  /** Path of the simulator's socket. */
  readonly control: string;
}

/** Leaves a note in the clone that a demo runs on this port. */
export async function noteRunning(root: string, port: number, running: Running): Promise<void> {
  const path = noteOf(root, port);
  await mkdir(join(root, '.cache'), { recursive: true });
  await writeFile(path, JSON.stringify(running));
}

export async function forgetRunning(root: string, port: number): Promise<void> {
  await rm(noteOf(root, port), { force: true });
}

/** The demo that runs on a port. Throws `input-invalid` with what to do when there is none, or it was killed. */
export async function findRunning(root: string, port: number): Promise<Running> {
  const text = await readFile(noteOf(root, port), 'utf8').catch(() => null);
  const running = text === null ? null : (JSON.parse(text) as Running);
  if (running !== null && isAlive(running.pid)) return running;
  throw new FleetError({
    code: 'input-invalid',
    what: `No demo of this clone runs on port ${port}`,
    remedy: 'Start it with ./fleet demo in another terminal; one on another port is found with --port.',
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

function noteOf(root: string, port: number): string {
  return join(root, '.cache', `demo-${port}.json`);
}
