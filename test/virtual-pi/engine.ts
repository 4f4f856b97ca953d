import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CACHE, NETWORK, RUN, SOCKET } from './places.ts';
import { command, type Outcome } from './process.ts';

/** Debian packages without which no virtual Pi can be made, and the program that shows that each is there. */
const PREREQUISITES: Readonly<Record<string, string>> = {
  'docker.io': '/usr/sbin/dockerd',
  mmdebstrap: '/usr/bin/mmdebstrap',
  'busybox-static': '/bin/busybox',
  'docker-registry': '/usr/bin/docker-registry',
  iptables: '/usr/sbin/iptables',
  git: '/usr/bin/git',
};

/** Debian packages of PREREQUISITES that are missing on this machine. */
function missingPackages(): string[] {
  return Object.entries(PREREQUISITES).flatMap(([name, program]) => (existsSync(program) ? [] : [name]));
}

export interface DockerOptions {
  readonly input?: Buffer | string;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** Runs a docker command against the engine of the virtual Pis. A non-zero exit is an outcome. */
export function docker(args: readonly string[], options: DockerOptions = {}): Promise<Outcome> {
  return command(['docker', '-H', `unix://${SOCKET}`, ...args], { deadline: 60_000, ...options });
}

/** The same, for commands that must succeed; returns what they print. */
export async function mustDocker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await docker(args, options);
  if (code !== 0)
    throw new Error(`docker ${args.slice(0, 4).join(' ')} failed (${code}): ${stderr || stdout}`);
  return stdout;
}

/** Starts the engine, or adopts the one that an earlier run of the tests left; removes the Pis that died with their owner. */
export async function startEngine(): Promise<void> {
  const missing = missingPackages();
  if (missing.length > 0)
    throw new Error(`Virtual Pis need Debian packages: apt-get install ${missing.join(' ')}`);
  if (!(await answers())) await launch();
  await removeLeftovers();
  const { code } = await docker(['network', 'inspect', NETWORK.name]);
  if (code !== 0) {
    await mustDocker([
      'network',
      'create',
      '--subnet',
      NETWORK.subnet,
      '--gateway',
      NETWORK.gateway,
      NETWORK.name,
    ]);
  }
}

async function answers(): Promise<boolean> {
  return (await docker(['version', '--format', '{{.Server.Version}}'], { deadline: 10_000 })).code === 0;
}

async function launch(): Promise<void> {
  mkdirSync(RUN, { recursive: true });
  mkdirSync(CACHE, { recursive: true });
  const log = openSync(join(RUN, 'dockerd.log'), 'a');
  const daemon = spawn(
    'dockerd',
    [
      ...['-H', `unix://${SOCKET}`, '--data-root', join(CACHE, 'engine'), '--exec-root', join(RUN, 'exec')],
      ...['--pidfile', join(RUN, 'pid'), '--bridge', 'none'],
    ],
    { detached: true, stdio: ['ignore', log, log] },
  );
  daemon.unref();
  for (let tries = 0; tries < 120; tries += 1) {
    if (await answers()) return;
    await sleep(500);
  }
  throw new Error(`dockerd did not answer within a minute; see ${RUN}/dockerd.log`);
}

/** The label by which a Pi names the process that it belongs to. */
export const OWNER_LABEL = 'metrica-fleet.owner';

/** Removes the Pis whose owner has died. Those of a test that runs beside this one stay. */
async function removeLeftovers(): Promise<void> {
  const format = `{{.ID}} {{.Label "${OWNER_LABEL}"}}`;
  const lines = (
    await mustDocker(['ps', '-a', '--filter', `label=${OWNER_LABEL}`, '--format', format])
  ).split('\n');
  for (const line of lines) {
    const [id = '', owner = ''] = line.split(' ');
    if (id !== '' && !existsSync(`/proc/${owner}`)) await mustDocker(['rm', '-fv', id]);
  }
}
