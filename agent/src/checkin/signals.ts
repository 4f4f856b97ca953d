import { ROLE_DEFAULTS, seconds } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import type { Journal } from '../decide/journal.ts';

type Places = Pick<Context, 'ports' | 'paths' | 'config'>;

/**
 * Hands the wake unit what it needs to hold the stream of signals: address, server name, token and the heartbeat that
 * the role asks for, one a line. Where the role wants no signals, or there is no overlord, or no token yet, there is
 * nothing, and the unit ends.
 */
export async function arrangeSignals({ ports, paths, config }: Places, { current }: Journal): Promise<void> {
  const { disk } = ports;
  const overlord = config.sources.find((source) => source.kind === 'overlord');
  const token = (await disk.readText(paths.run.token))?.trim();
  const wanted = (current?.signals ?? 'sse') !== 'off';
  if (overlord === undefined || token === undefined || !wanted || !overlord.url.startsWith('https:')) {
    if ((await disk.stat(paths.run.signals)) !== null) await disk.remove('signals.off', paths.run.signals);
    return;
  }
  const { hostname, port } = new URL(overlord.url);
  const ca = overlord.ca === null ? null : await disk.readText(overlord.ca);
  // A copy: the unit may not look into the folder of the identity.
  await keep(disk, { path: paths.run.overlordCa, content: ca, mode: 0o644 });
  const name = hostname.replace(/^\[|\]$/g, '');
  const content = `${hostname}:${port === '' ? '443' : port}\n${name}\n${token}\n${current?.heartbeat ?? seconds(ROLE_DEFAULTS.heartbeat)}\n`;
  await keep(disk, { path: paths.run.signals, content, mode: 0o640 });
}

interface Kept {
  readonly path: string;
  /** Null: no such file. */
  readonly content: string | null;
  readonly mode: number;
}

async function keep(disk: Places['ports']['disk'], { path, content, mode }: Kept): Promise<void> {
  if ((await disk.readText(path)) === content) return;
  if (content === null) await disk.remove('signals.forget', path);
  else await disk.write('signals.write', path, { content, mode });
}
