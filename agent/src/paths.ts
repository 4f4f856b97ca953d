import { join } from 'node:path';

/** Every place on the device that the agent reads or writes. Built once from a root, so that tests use a folder of their own. */
export interface Paths {
  /** `config.yaml`: who this device is and where it pulls from. Written by a person. */
  readonly config: string;
  /** Invitation to a fleet, from the provisioning; gone once the device has joined. */
  readonly invitation: string;
  /** The agent's memory, see SPEC.md. */
  readonly journal: string;
  /** The last answer of a source, so that life goes on without it. */
  readonly desired: string;
  /** What happened, one JSON object per line, bounded. */
  readonly history: string;
  /** Cache of the Git source. */
  readonly git: string;
  /** What enrolment made: the key that never leaves the device, and who it is to the overlord. */
  readonly identity: IdentityPaths;
  /** `<outbox>/<number>-<id>.json`: reports that the overlord has not acknowledged yet. */
  readonly outbox: string;
  /** Orders of the overlord that were received, so that none is carried out twice. */
  readonly orders: string;
  /** The boot id that the overlord has been told of. */
  readonly boot: string;
  /** Sources that have not answered for longer than a hiccup, until they do. */
  readonly outages: string;
  /** The latest time that is known to have passed, ISO 8601 UTC. */
  readonly timeFloor: string;
  /** Bundles on their way in. */
  readonly downloads: string;
  /** `<state>/<role>/<path>`: what a role keeps across its releases. */
  readonly state: string;
  /** `<releases>/<content digest>`: unpacked releases, read-only once complete. */
  readonly releases: string;
  /** `<mounts>/<digest>`: content-addressed copies of what containers bind-mount. */
  readonly mounts: string;
  /** Images that the agent itself has brought here: nobody else will remove them. */
  readonly images: string;
  /** Where Docker keeps images and containers. */
  readonly docker: string;
  /** Names the image of the page of safe mode. Of a package of its own: absent where that is not installed. */
  readonly safeModeImage: string;
  /** Symlinks into `releases`: the active release, the last one that passed its gate, the incoming one. */
  readonly current: string;
  readonly previous: string;
  readonly next: string;
  /** tmpfs: gone after a reboot, costs the card nothing. */
  readonly run: RunPaths;
}

export interface IdentityPaths {
  readonly dir: string;
  /** Ed25519, PKCS #8, PEM; 0600. */
  readonly key: string;
  readonly device: string;
  /** Certificates that may vouch for the overlord. */
  readonly ca: string;
  /** OpenSSH allowed_signers of the fleet. */
  readonly signers: string;
}

export interface RunPaths {
  readonly dir: string;
  readonly lock: string;
  /** Its existence asks for a run; the run deletes it before it looks at anything. */
  readonly wake: string;
  /** Uptime in whole seconds from which the next run is due, for the gate. */
  readonly nextDue: string;
  /** Exists while the journal's state is not idle, for the gate. */
  readonly unfinished: string;
  /** Ids of the containers that should be running, sorted, one a line, for the gate. */
  readonly expected: string;
  /** Facts of the last run, for `role-agent status`. */
  readonly status: string;
  /** Why this device is in safe mode; absent when it is not. What the page shows. */
  readonly safeMode: string;
  /** What the button of safe mode's page wants; made by its unit. */
  readonly safeModeCode: string;
  /** Port of the page: where the unit meant it to be, and where it has turned out to be. The latter is of the page's server, which is not trusted. */
  readonly safeModePort: string;
  readonly safeModePagePort: string;
  /** Its existence makes the next run a redeploy: the button of the page. */
  readonly redeploy: string;
  readonly pullRequest: string;
  readonly pullProgress: string;
  readonly pullResult: string;
  /** Short-lived token of the device at its overlord; 0600. */
  readonly token: string;
  /** What the overlord was told last, and when it answered. */
  readonly contact: string;
  /** Sources that were asked in vain last, and when to ask them again. */
  readonly silences: string;
  /** How the last try to join a fleet went; absent when there is nothing to join. */
  readonly enrolment: string;
  /** TLS session for the next connection; 0600. */
  readonly tlsSession: string;
  /** For the wake unit: address, server name, token and heartbeat, one a line; 0640, its folder gives the group. */
  readonly signals: string;
  /** For the wake unit: a copy of the certificates that may vouch for the overlord. */
  readonly overlordCa: string;
  /** Uptime at the last heartbeat of the stream of signals, and for how long that is good. Of the wake unit, which is not trusted. */
  readonly beat: string;
}

/** Paths under a root; `/` on a device. */
export function pathsUnder(root: string): Paths {
  const at = (path: string): string => join(root, path);
  return {
    config: at('/etc/role-agent/config.yaml'),
    invitation: at('/etc/role-agent/enroll.json'),
    journal: at('/var/lib/role-agent/journal.json'),
    desired: at('/var/lib/role-agent/desired.json'),
    history: at('/var/lib/role-agent/history.jsonl'),
    git: at('/var/lib/role-agent/git'),
    identity: {
      dir: at('/var/lib/role-agent/identity'),
      key: at('/var/lib/role-agent/identity/key.pem'),
      device: at('/var/lib/role-agent/identity/device.json'),
      ca: at('/var/lib/role-agent/identity/overlord-ca.pem'),
      signers: at('/var/lib/role-agent/identity/allowed_signers'),
    },
    outbox: at('/var/lib/role-agent/outbox'),
    orders: at('/var/lib/role-agent/orders.json'),
    boot: at('/var/lib/role-agent/boot-id'),
    outages: at('/var/lib/role-agent/outages.json'),
    timeFloor: at('/var/lib/role-agent/time-floor'),
    downloads: at('/var/lib/role-agent/downloads'),
    state: at('/var/lib/role-agent/state'),
    releases: at('/opt/metrica/releases'),
    mounts: at('/opt/metrica/mounts'),
    images: at('/var/lib/role-agent/images.json'),
    docker: at('/var/lib/docker'),
    safeModeImage: at('/usr/lib/role-agent/safe-mode-image.name'),
    current: at('/opt/app_current'),
    previous: at('/opt/app_prev'),
    next: at('/opt/app_next'),
    run: {
      dir: at('/run/role-agent'),
      lock: at('/run/role-agent/lock'),
      wake: at('/run/role-agent/wake'),
      nextDue: at('/run/role-agent/next-due'),
      unfinished: at('/run/role-agent/unfinished'),
      expected: at('/run/role-agent/expected'),
      status: at('/run/role-agent/status.json'),
      safeMode: at('/run/role-agent/safe-mode.json'),
      safeModeCode: at('/run/role-agent-safe-mode/code'),
      safeModePort: at('/run/role-agent-safe-mode/port'),
      safeModePagePort: at('/run/role-agent-safe-mode/page/port'),
      redeploy: at('/run/role-agent/redeploy'),
      pullRequest: at('/run/role-agent/pull-request.json'),
      pullProgress: at('/run/role-agent/pull-progress.json'),
      pullResult: at('/run/role-agent/pull-result.json'),
      token: at('/run/role-agent/token'),
      contact: at('/run/role-agent/contact.json'),
      silences: at('/run/role-agent/silences.json'),
      enrolment: at('/run/role-agent/enrolment.json'),
      tlsSession: at('/run/role-agent/tls-session.json'),
      signals: at('/run/role-agent/signals/line'),
      overlordCa: at('/run/role-agent/overlord-ca.pem'),
      beat: at('/run/role-agent-wake/beat'),
    },
  };
}
