/** An error keeps a release from being offered and from being run; a warning is shown. */
export type Severity = 'error' | 'warning';

interface Rule {
  readonly severity: Severity;
  /** What the rule asks for, in one line. */
  readonly summary: string;
}

const error = (summary: string): Rule => ({ severity: 'error', summary });
const warning = (summary: string): Rule => ({ severity: 'warning', summary });

/** Every rule of the lint. Names are stable: people search for them. */
export const RULES = {
  'role-file': error('role.yaml is there and fits its schema'),
  'role-name': error("name: in role.yaml is the folder's name"),
  'reserved-name': error('.fleet at the top of a role belongs to the agent'),
  'state-overlap': error('no declared state lies in another'),
  'state-seed': error('the seed of a declared state is in the role'),
  'timezone-unknown': error('the time zone of the update window is one'),
  'one-shot-unknown': error('one_shots names services'),
  'probe-unknown': error('an exec probe names a service'),
  'variable-default': error('the default of a variable fits its own declaration'),
  'variable-undeclared': error('a variable without a default is declared in role.yaml'),
  'variable-unset': warning('a variable that is passed on to a container is declared in role.yaml'),
  'variable-unused': warning('a declared variable is used'),
  'self-contained': error('nothing refers to a path outside of the role'),
  'host-path': error('only well-known paths of the host are mounted'),
  'docker-socket': warning('the Docker socket is not given away'),
  'compose-file': error('there is exactly one compose file'),
  'compose-syntax': error('the compose file is YAML with a map of services'),
  'image-missing': error('every service has an image'),
  'no-build': error('images are not built on the device'),
  'image-unpinned': warning('every image has a tag other than latest, or a digest'),
  'reference-unknown': error('what a service refers to is defined'),
  'no-healthcheck': warning('every long-running service has a healthcheck or the role has a probe'),
  'no-memory-limit': warning('every service has a memory limit'),
  'no-restart': warning('every long-running service has a restart policy'),
  'undeclared-state': error('folders that a service may write to are declared as state'),
  'file-missing': error('every file that is mounted or read is in the role'),
  'local-name': error('no host name depends on mDNS or MagicDNS'),
  'local-name-in-file': warning('no host name in a configuration file depends on mDNS or MagicDNS'),
  'committed-secret': error('no key or token is committed'),
  'literal-password': warning('no password is written into the compose file'),
  privileged: warning('no service is privileged'),
  'container-name': warning('container names are left to Compose'),
  'lfs-pointer': error('files are there themselves, not as a Git LFS pointer'),
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
