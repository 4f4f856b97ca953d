import type { Status } from '@metrica-fleet/protocol';

/** Safe mode for a person; null where the device is not in it. */
export function renderSafeMode(safeMode: NonNullable<Status['safeMode']> | null): string {
  if (safeMode === null) return 'This device is not in safe mode.\n';
  const { reason, since, address, code } = safeMode;
  return [
    `This device is in safe mode${since === null ? '' : ` since ${since}`}.`,
    `why    ${reason}`,
    `page   ${address ?? 'this device has no network'}`,
    `code   ${code ?? 'there is none; see journalctl -u role-agent-safe-mode'}`,
    'To leave it: role-agent safe-mode off, which tries what is wanted again.',
    '',
  ].join('\n');
}
