import { FleetError, type Variables } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import type { Ports } from '../ports/ports.ts';

/** What a role may bring to judge itself, in its folder. */
const SCRIPT = 'validate.sh';
/** Seconds. */
const TIME_LIMIT = 30;
/** Exit codes from which on systemd says that it could not start the script at all (systemd.exec(5)). */
const NOT_STARTED = { from: 200, to: 245 } as const;
const LAST_LINES = 10;

/**
 * Runs `validate.sh` of a release, if it has one: `/bin/sh`, in the release's folder, with the variables in the
 * environment, as a user that exists only for this, without network, without the right to write anything, for at most
 * 30 s and 128 MiB. Exit 0 accepts; anything else is `validate-refused` with the script's last lines.
 */
export async function runValidateScript(
  { disk, exec }: Pick<Ports, 'disk' | 'exec'>,
  { folder, variables }: { readonly folder: string; readonly variables: Variables },
): Promise<void> {
  // A link is fine: every link of a release stays inside it.
  const kind = (await disk.stat(join(folder, SCRIPT)))?.kind;
  if (kind !== 'file' && kind !== 'link') return;
  const { code, stdout, stderr } = await exec.run({
    label: 'stage.validate-script',
    argv: ['systemd-run', ...sandbox(folder), ...environment(variables), '/bin/sh', SCRIPT],
    deadline: (TIME_LIMIT + 20) * 1000,
    maxOutput: 1024 * 1024,
  });
  if (code === 0) return;
  const said = `${stdout.toString('utf8')}\n${stderr}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-LAST_LINES)
    .join('; ');
  if (couldNotStart(code, stderr)) throw notStarted(said || `exit code ${code}`);
  throw new FleetError({
    code: 'validate-refused',
    what: `validate.sh refused the release (exit code ${code}, at most ${TIME_LIMIT} s)${said === '' ? '' : `: ${said}`}`,
    where: SCRIPT,
    remedy: 'Its last lines say why; it sees the variables as environment and nothing of the network.',
  });
}

function sandbox(folder: string): string[] {
  const properties = [
    'DynamicUser=yes',
    'PrivateNetwork=yes',
    'PrivateDevices=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'NoNewPrivileges=yes',
    `RuntimeMaxSec=${TIME_LIMIT}`,
    'MemoryMax=128M',
    'TasksMax=64',
    `WorkingDirectory=${folder}`,
  ];
  return ['--pipe', '--wait', '--quiet', '--collect', ...properties.flatMap((property) => ['-p', property])];
}

/** Variables are not secrets: they lie in the fleet repo, readable for all. */
function environment(variables: Variables): string[] {
  return Object.entries(variables).map(([name, value]) => `--setenv=${name}=${value}`);
}

function couldNotStart(code: number, stderr: string): boolean {
  if (code >= NOT_STARTED.from && code <= NOT_STARTED.to) return true;
  return /not been booted with systemd|Failed to (connect|start transient|create bus)/i.test(stderr);
}

function notStarted(said: string): FleetError {
  return new FleetError({
    code: 'command-failed',
    what: `validate.sh could not be run: ${said}`,
    where: SCRIPT,
    remedy: 'Look at `systemctl status` and `journalctl -n 50`; it is tried again.',
  });
}
