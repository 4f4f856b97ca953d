import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The clone, found from the compiled file as well as from the source. */
export const ROOT = rootOf(import.meta.dirname);

/** What is slow to make (root file systems, images) is kept here under a hash of its recipe, whatever the checkout. */
export const CACHE = process.env['METRICA_CACHE'] ?? '/var/cache/metrica-fleet/virtual-pi';

/** Sockets and process ids of the engine; short, because a unix socket's path may have 107 bytes. */
export const RUN = '/run/metrica-virtual-pi';

export const SOCKET = join(RUN, 'docker.sock');

/** The network of the virtual Pis. Its gateway is this machine, where Git servers and registries listen. */
export const NETWORK = { name: 'metrica-pis', subnet: '172.31.77.0/24', gateway: '172.31.77.1' } as const;

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : rootOf(dirname(folder));
}
