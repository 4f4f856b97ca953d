import {
  DeviceConfigSchema,
  DeviceNameSchema,
  FleetError,
  parse,
  parseYaml,
  type GitSourceConfig,
  type VariableInput,
} from '@metrica-fleet/protocol';
import type { Paths } from './paths.ts';
import type { Disk } from './ports/disk.ts';

export interface GitConfig {
  readonly kind: 'git';
  /** Never with a password: those go into `credentials`. */
  readonly url: string;
  /** Full name of the ref that is followed: `refs/heads/main`, `refs/tags/v1`. */
  readonly ref: string;
  /** File for git-credential-store, or null. */
  readonly credentials: string | null;
  /** Private key file for ssh, or null for the ones in root's home. */
  readonly sshKey: string | null;
  /** Pinned host keys, or null to take the first key that is seen and keep it. */
  readonly knownHosts: string | null;
}

export interface DirectoryConfig {
  readonly kind: 'directory';
  readonly path: string;
}

/** An overlord whose fleet this device has joined (`role-agent enrol`). */
export interface OverlordConfig {
  readonly kind: 'overlord';
  /** Without a slash at its end. */
  readonly url: string;
  /** File with the certificates that may vouch for it, and no others do; null for those of the system. */
  readonly ca: string | null;
}

/**
 * What a person decided about this device. Values of variables, weakest first: default in `role.yaml`, `vars` here,
 * `sites/<site>.yaml`, `devices/<device>.yaml`. Role and site: the device file in the fleet repo wins over this one.
 */
export interface Config {
  readonly device: string;
  readonly role: string | null;
  readonly site: string | null;
  /** OpenSSH allowed_signers file; null where releases need no signature (and bundles from a directory are refused). */
  readonly allowedSigners: string | null;
  readonly vars: VariableInput;
  /** In the order in which they are asked; at least one. */
  readonly sources: readonly (OverlordConfig | GitConfig | DirectoryConfig)[];
}

/** Whether there is an overlord that wants to hear of this device. */
export function hasOverlord({ sources }: Pick<Config, 'sources'>): boolean {
  return sources.some(({ kind }) => kind === 'overlord');
}

/** Reads the configuration file. Throws `config-invalid`; see parseConfig. */
export async function readConfig(disk: Disk, paths: Paths, hostname: string): Promise<Config> {
  return parseConfig(await disk.readText(paths.config), paths.config, hostname);
}

/** What holds where the configuration cannot be used: a name for the status, and nothing to ask. */
export function fallbackConfig(hostname: string): Config {
  const device = deviceNameOf(hostname);
  return { device, role: null, site: null, allowedSigners: null, vars: {}, sources: [] };
}

function deviceNameOf(hostname: string): string {
  return (hostname.split('.')[0] ?? '').toLowerCase();
}

const REMEDY = 'Correct the file; /etc/role-agent/config.yaml.example shows every field.';

/**
 * Reads `config.yaml`. `text` is null where there is no such file, `where` its path, `hostname` the default device
 * name (its first label is used). Throws `config-invalid` with file and line.
 */
export function parseConfig(text: string | null, where: string, hostname: string): Config {
  if (text === null) {
    throw new FleetError({
      code: 'config-invalid',
      what: 'There is no configuration',
      where,
      remedy: 'Copy /etc/role-agent/config.yaml.example there and name a source.',
    });
  }
  const file = parseYaml(text, { where, code: 'config-invalid', schema: DeviceConfigSchema, remedy: REMEDY });
  const { value } = file;
  const device = value.device ?? deviceNameOf(hostname);
  parse(DeviceNameSchema, device, {
    where: `${where}: host name`,
    code: 'config-invalid',
    remedy: 'Set `device:`.',
  });
  return {
    device,
    role: value.role ?? null,
    site: value.site ?? null,
    allowedSigners: value.allowed_signers ?? null,
    vars: value.vars ?? {},
    sources: value.sources.flatMap(({ overlord, git, directory }, index): Config['sources'] => {
      if (overlord !== undefined) {
        return [{ kind: 'overlord', url: overlord.url.replace(/\/$/, ''), ca: overlord.ca ?? null }];
      }
      if (directory !== undefined) return [{ kind: 'directory', path: directory.path }];
      if (git === undefined) return [];
      return [
        gitConfig(git, (what, remedy) => {
          throw file.fault(['sources', index, 'git'], what, remedy);
        }),
      ];
    }),
  };
}

function gitConfig(git: GitSourceConfig, refuse: (what: string, remedy: string) => never): GitConfig {
  if (git.branch !== undefined && git.tag !== undefined)
    refuse('The git source has both a branch and a tag', 'Keep one of them.');
  if (hasPassword(git.url)) {
    refuse(
      'The URL of the git source contains a password',
      'Put it into a file that only root can read and name that with `credentials:`.',
    );
  }
  return {
    kind: 'git',
    url: git.url,
    ref: git.tag === undefined ? `refs/heads/${git.branch ?? 'main'}` : `refs/tags/${git.tag}`,
    credentials: git.credentials ?? null,
    sshKey: git.ssh_key ?? null,
    knownHosts: git.known_hosts ?? null,
  };
}

/** True for `https://user:token@host` and `https://token@host`; a user name alone is what ssh needs. */
function hasPassword(url: string): boolean {
  return /^[a-z+]+:\/\/[^/@]*:[^/@]*@/.test(url) || /^https?:\/\/[^/@]+@/.test(url);
}
