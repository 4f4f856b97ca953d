import { FleetError } from '@metrica-fleet/protocol';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders and files of one demo. */
export interface Place {
  readonly repo: string;
  readonly overlord: { readonly data: string; readonly log: string };
  /** In the temporary folder in any case: paths of sockets are short. */
  readonly control: string;
  readonly simulatorLog: string;
  /** Removes what is temporary. */
  remove(): Promise<void>;
}

/** `wanted`: a folder that is kept; null for one that is removed by `remove`. Throws where it is not empty. */
export async function makePlace(wanted: string | null): Promise<Place> {
  if (wanted !== null) await claim(wanted);
  const temporary = await mkdtemp(join(tmpdir(), 'fleet-demo-'));
  // The database does not run as root: it must be able to pass through.
  await chmod(temporary, 0o711);
  const folder = wanted ?? temporary;
  const data = join(folder, 'overlord');
  await mkdir(data, { mode: 0o711 });
  return {
    repo: join(folder, 'fleet-repo'),
    overlord: { data, log: join(folder, 'overlord.log') },
    control: join(temporary, 'simulator.sock'),
    simulatorLog: join(folder, 'simulator.log'),
    remove: () => rm(temporary, { recursive: true, force: true }),
  };
}

/** A demo begins anew each time: simulated Pis live in memory. What lies there already is not ours to delete. */
async function claim(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  if ((await readdir(folder)).length === 0) return;
  throw new FleetError({
    code: 'input-invalid',
    what: 'The folder for the demo is not empty',
    where: folder,
    remedy: 'Name an empty or a new one with --data, or leave it out for a temporary one.',
  });
}
