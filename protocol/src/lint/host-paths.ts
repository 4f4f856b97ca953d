/** What of the host a role may mount: devices and what describes the machine, nothing that a release would have to make. */
const KNOWN = [
  '/dev',
  '/sys',
  '/proc',
  '/run/udev',
  '/run/dbus',
  '/var/run/dbus',
  '/run/user',
  '/etc/localtime',
  '/etc/timezone',
  '/etc/machine-id',
  '/lib/modules',
  '/tmp/.X11-unix',
];

/** Sockets that make whoever holds them root on the device. */
const ENGINE_SOCKETS = new Set([
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/run/containerd/containerd.sock',
  '/var/run/containerd/containerd.sock',
]);

/** Where releases are kept: a path through these serves another release's files from one day to the next. */
const RELEASES = ['/opt/app_current', '/opt/app_prev', '/opt/app_next', '/opt/metrica'];

/** What a path that is mounted or read means to a role. */
export type PathKind = 'inside' | 'known' | 'engine-socket' | 'release' | 'host';

/** Judges a path as written: `inside` for a relative one, wherever that leads. */
export function kindOfPath(path: string): PathKind {
  if (/^(~|[A-Za-z]:[\\/]|\\\\)/.test(path)) return 'host';
  if (!path.startsWith('/')) return 'inside';
  const absolute = normal(path);
  if (RELEASES.some((folder) => isWithin(absolute, folder))) return 'release';
  if (ENGINE_SOCKETS.has(absolute)) return 'engine-socket';
  return KNOWN.some((folder) => isWithin(absolute, folder)) ? 'known' : 'host';
}

/** True where the agent puts a role's secrets. */
export function isDeviceSecret(path: string): boolean {
  return normal(path).startsWith('/run/role-agent/secrets/');
}

/** An absolute path without `.`, `..` and doubled slashes. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
