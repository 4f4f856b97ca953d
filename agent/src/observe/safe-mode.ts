import { TimeSchema, type Status } from '@metrica-fleet/protocol';
import { Check } from 'typebox/schema';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';
import type { Ports } from '../ports/ports.ts';
import { PORTS } from '../safe-mode/front.ts';
import { pageUrl } from '../safe-mode/local-network.ts';
import { parseReason } from '../safe-mode/reason.ts';

/** What people need who stand before a device in safe mode; null where it is not in safe mode. */
export async function observeSafeMode(
  { disk, network }: Pick<Ports, 'disk' | 'network'>,
  { run }: Pick<Paths, 'run'>,
): Promise<NonNullable<Status['safeMode']> | null> {
  const reason = parseReason(await disk.readText(run.safeMode));
  if (reason === null) return null;
  // Root's alone.
  const code = await disk.readText(run.safeModeCode).catch(() => null);
  const [address] = network.addresses();
  const port =
    (await portIn(disk, run.safeModePagePort)) ?? (await portIn(disk, run.safeModePort)) ?? PORTS[0];
  return {
    reason: reason.problem.what,
    since: Check(TimeSchema, reason.since) ? reason.since : null,
    code: code !== null && /^[A-Z0-9]{6,8}$/.test(code.trim()) ? code.trim() : null,
    address: address === undefined ? null : pageUrl(address, port),
  };
}

async function portIn(disk: Disk, path: string): Promise<number | null> {
  const port = Number(await disk.readText(path));
  return PORTS.find((known) => known === port) ?? null;
}
