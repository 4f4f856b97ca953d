import { ok, unknown, warning, type Finding } from './finding.ts';

export interface LoggingFacts {
  /** Docker's log driver for containers that choose none; null where Docker does not say. */
  readonly logging: string | null;
  /** `/etc/docker/daemon.json`; null where there is none. */
  readonly daemonFile: string | null;
  /** Running containers that log into a file without a limit. */
  readonly unboundedContainers: readonly string[];
}

const CHECK = 'docker-logs';
const FILE = '/etc/docker/daemon.json';
const WANTED = { 'log-driver': 'local', 'log-opts': { 'max-size': '10m', 'max-file': '3' } } as const;
const WHY =
  'Logs of containers that choose no driver grow until the card is full. (The agent gives the services of roles `local` with limits.)';

export function judgeDockerLogs({ logging, daemonFile, unboundedContainers }: LoggingFacts): Finding {
  if (logging === null) return unknown(CHECK, 'Docker does not name its log driver');
  const daemon = daemonFile === null ? {} : objectIn(daemonFile);
  const options = daemon?.['log-opts'];
  const bounded = typeof options === 'object' && options !== null && 'max-size' in options;
  if (logging === 'json-file' && !bounded) {
    const named =
      unboundedContainers.length > 0 ? `; so log ${unboundedContainers.slice(0, 5).join(', ')}` : '';
    return warning(CHECK, `Docker’s log driver is json-file without a limit${named}`, {
      why: WHY,
      ...remedyFor(daemonFile, daemon),
    });
  }
  if (unboundedContainers.length > 0) {
    const names = unboundedContainers.slice(0, 5).join(', ');
    return warning(CHECK, `Containers from before the limit log into files without one: ${names}`, {
      why: WHY,
      remedy:
        'Make them anew (`docker compose up --force-recreate`): a container keeps the driver it was made with',
    });
  }
  return ok(CHECK, `Docker’s log driver is ${logging}${logging === 'json-file' ? ', with a limit' : ''}`);
}

/** The whole file as it should be, or in words where it holds what is better not printed, or is no JSON. */
function remedyFor(
  text: string | null,
  daemon: Readonly<Record<string, unknown>> | null,
): Pick<Finding, 'remedy' | 'command'> {
  if (daemon === null)
    return { remedy: `${FILE} is not JSON: correct it, and add ${JSON.stringify(WANTED)}` };
  const merged = JSON.stringify({ ...daemon, ...WANTED });
  if (/'|\/\/[^"/]*@/.test(text ?? ''))
    return {
      remedy: `In ${FILE} add ${JSON.stringify(WANTED).slice(1, -1)}, then \`systemctl restart docker\``,
    };
  return {
    remedy: 'Restarts every container; those that are there keep their old driver until they are made anew',
    command: `printf '%s\\n' '${merged}' > ${FILE} && systemctl restart docker`,
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
