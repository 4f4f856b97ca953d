import { hostname, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What a person decided about this overlord. */
export interface OverlordConfig {
  readonly dataDir: string;
  /** Names and addresses in the server's certificate; the first is in the lines that are printed. */
  readonly hosts: readonly [string, ...string[]];
  readonly listen: string;
  /** TLS, for everybody. */
  readonly port: number;
  /** Plain HTTP on this machine only, for a browser that does not know our authority; null without. */
  readonly localPort: number | null;
  readonly repo: {
    readonly url: string;
    readonly branch: string;
    readonly credentials: string | null;
    /** Seconds between two looks. */
    readonly interval: number;
  } | null;
  /** Null: the embedded PostgreSQL in the data folder. */
  readonly database: { readonly url: string; readonly directUrl: string } | null;
  readonly masterKey: string | undefined;
  /** A certificate of one's own, as files; null: our own authority. */
  readonly tls: { readonly key: string; readonly certificate: string } | null;
  readonly trustProxy: boolean;
  /** How long a device's token is good; it is renewed in time by itself. Seconds. */
  readonly deviceTokenLife: number;
  /** Until a device whose stream has ended is no longer online by it. Seconds. */
  readonly away: number;
  /** The agent's package for the installer; null: there is none to serve. */
  readonly agentPackage: string | null;
  /** Folder of the built dashboard; null without. */
  readonly dashboard: string | null;
  readonly logLevel: string;
}

/** A wrong option or variable, in one sentence with what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const OPTIONS = {
  data: { type: 'string' },
  host: { type: 'string', multiple: true },
  listen: { type: 'string', default: '::' },
  port: { type: 'string', default: '8443' },
  'local-port': { type: 'string' },
  repo: { type: 'string' },
  branch: { type: 'string', default: 'main' },
  'repo-credentials': { type: 'string' },
  'repo-interval': { type: 'string', default: '60' },
  'tls-key': { type: 'string' },
  'tls-certificate': { type: 'string' },
  'trust-proxy': { type: 'boolean', default: false },
  'device-token-life': { type: 'string', default: '86400' },
  away: { type: 'string', default: '90' },
  'agent-package': { type: 'string' },
  dashboard: { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
} as const;

type Env = Readonly<Record<string, string | undefined>>;

/** argv and environment → configuration. Secrets come by the environment or as files, never in argv. Throws ConfigError. */
export function readConfig(argv: readonly string[], env: Env): OverlordConfig {
  const values = parse(argv);
  const [host = hostname(), ...others] = values.host ?? [];
  const url = env['DATABASE_URL'];
  return {
    dataDir: resolve(values.data ?? defaultData(env)),
    hosts: [host, ...others, ...['localhost', '127.0.0.1', '::1'].filter((name) => name !== host)],
    listen: values.listen,
    port: numberOf(values.port, '--port', [0, 65_535]),
    localPort:
      values['local-port'] === undefined ? null : numberOf(values['local-port'], '--local-port', [0, 65_535]),
    repo: values.repo === undefined ? null : repoOf(values.repo, values),
    database: url === undefined ? null : { url, directUrl: env['DATABASE_DIRECT_URL'] ?? url },
    masterKey: env['FLEET_MASTER_KEY'],
    tls: tlsOf(values['tls-key'], values['tls-certificate']),
    trustProxy: values['trust-proxy'],
    deviceTokenLife: numberOf(values['device-token-life'], '--device-token-life', [10, 2_592_000]),
    away: numberOf(values.away, '--away', [0, 3_600]),
    agentPackage: values['agent-package'] ?? null,
    dashboard: values.dashboard ?? null,
    logLevel: values['log-level'],
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (thrown) {
    throw new ConfigError((thrown as Error).message);
  }
}

/** A database is nothing for a folder that others may look into by chance. */
function defaultData(env: Env): string {
  if (process.getuid?.() === 0) return '/var/lib/metrica-fleet';
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'metrica-fleet');
}

function repoOf(
  url: string,
  values: { readonly branch: string; readonly 'repo-credentials'?: string; readonly 'repo-interval': string },
): NonNullable<OverlordConfig['repo']> {
  if (url.startsWith('-') || /\s/.test(url))
    throw new ConfigError(`--repo ${url} is no URL that Git could fetch from.`);
  if (/^https?:\/\/[^/@]+@/.test(url) || /^[a-z+]+:\/\/[^/@]*:[^/@]*@/.test(url)) {
    throw new ConfigError(
      'The URL of --repo contains a password. Put it into a file that only you can read, as `https://user:token@host`, ' +
        'and name that with --repo-credentials.',
    );
  }
  // A path as a person types it means something here only.
  const isPath = !/^[a-z+]+:\/\//.test(url) && !/^[^/]+@?[^/]*:/.test(url);
  return {
    url: isPath ? resolve(url) : url,
    branch: values.branch,
    credentials: values['repo-credentials'] === undefined ? null : resolve(values['repo-credentials']),
    interval: numberOf(values['repo-interval'], '--repo-interval', [0, 86_400]),
  };
}

function tlsOf(key: string | undefined, certificate: string | undefined): OverlordConfig['tls'] {
  if (key === undefined && certificate === undefined) return null;
  if (key === undefined || certificate === undefined) {
    throw new ConfigError('--tls-key and --tls-certificate belong together: give both, or none.');
  }
  return { key: resolve(key), certificate: resolve(certificate) };
}

function numberOf(text: string, option: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(`${option} takes a whole number from ${least} to ${most}, not «${text}».`);
}
