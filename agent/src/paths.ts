import { join } from 'node:path';

/** Every place on the device that the agent reads or writes. Built once from a root, so that tests use a folder of their own. */
export interface Paths {
  /** `config.yaml`: who this device is and where it pulls from. Written by a person. */
  readonly config: string;
  /** The agent's memory, see SPEC.md. */
  readonly journal: string;
  /** The last answer of a source, so that life goes on without it. */
  readonly desired: string;
  /** What happened, one JSON object per line, bounded. */
  readonly history: string;
  /** Cache of the Git source. */
  readonly git: string;
  /** `<state>/<role>/<path>`: what a role keeps across its releases. */
  readonly state: string;
  /** `<releases>/<content digest>`: unpacked releases, read-only once complete. */
  readonly releases: string;
  /** `<mounts>/<digest>`: content-addressed copies of what containers bind-mount. */
  readonly mounts: string;
  /** Symlinks into `releases`: the active release, the last one that passed its gate, the incoming one. */
  readonly current: string;
  readonly previous: string;
  readonly next: string;
  /** tmpfs: gone after a reboot, costs the card nothing. */
  readonly run: RunPaths;
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
  readonly pullRequest: string;
  readonly pullProgress: string;
  readonly pullResult: string;
}

/** Paths under a root; `/` on a device. */
export function pathsUnder(root: string): Paths {
  const at = (path: string): string => join(root, path);
  return {
    config: at('/etc/role-agent/config.yaml'),
    journal: at('/var/lib/role-agent/journal.json'),
    desired: at('/var/lib/role-agent/desired.json'),
    history: at('/var/lib/role-agent/history.jsonl'),
    git: at('/var/lib/role-agent/git'),
    state: at('/var/lib/role-agent/state'),
    releases: at('/opt/metrica/releases'),
    mounts: at('/opt/metrica/mounts'),
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
      pullRequest: at('/run/role-agent/pull-request.json'),
      pullProgress: at('/run/role-agent/pull-progress.json'),
      pullResult: at('/run/role-agent/pull-result.json'),
    },
  };
}
