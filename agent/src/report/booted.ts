import { problemOf } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import { hasOverlord } from '../config.ts';
import { addReport, reportId } from './outbox.ts';

/** Once a boot, where there is an overlord: the first run says that the device has started. */
export async function reportBoot({
  ports,
  paths,
  config,
}: Pick<Context, 'ports' | 'paths' | 'config'>): Promise<void> {
  if (!hasOverlord(config)) return;
  try {
    await reportOnce({ ports, paths, config });
  } catch (thrown) {
    // A card that takes no more: what matters is said by the status.
    ports.log.debug('The boot could not be reported', { problem: problemOf(thrown) });
  }
}

async function reportOnce({
  ports,
  paths,
  config,
}: Pick<Context, 'ports' | 'paths' | 'config'>): Promise<void> {
  const { boot, wall, uptime } = ports.clock.now();
  if ((await ports.disk.readText(paths.boot))?.trim() === boot) return;
  await addReport(ports.disk, paths.outbox, {
    id: reportId(config.device, 'booted', boot),
    at: wall,
    kind: 'booted',
    detail: `its first run was ${Math.round(uptime)} s after the boot`,
  });
  await ports.disk.replace('boot.write', paths.boot, `${boot}\n`);
}
