import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NETWORK, ROOT, RUN } from '../places.ts';
import { buildDeb } from '@metrica-fleet/agent/deb';
import type { Device } from './device.ts';

/** The overlord as people start it, where the Pis reach it. */
export class ControlPlane {
  private readonly argv: readonly string[];
  /** Folder of all that it keeps. */
  readonly data: string;
  private readonly local: number;
  private process: ChildProcess;
  private headers: Readonly<Record<string, string>> = {};

  private constructor(parts: {
    readonly argv: readonly string[];
    readonly data: string;
    readonly local: number;
    readonly process: ChildProcess;
  }) {
    this.argv = parts.argv;
    this.data = parts.data;
    this.local = parts.local;
    this.process = parts.process;
  }

  /** Follows `repo`; its first admin has signed up. `options` are more of its command line. */
  static async start(repo: string, options: readonly string[] = []): Promise<ControlPlane> {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-b', 'overlord/api'], { cwd: ROOT });
    const data = await mkdtemp(join(tmpdir(), 'fleet-control-plane-'));
    await chmod(data, 0o711);
    const [port, local] = [await freePort(), await freePort()];
    const argv = [
      join(ROOT, 'overlord/api/dist/src/main.js'),
      ...['--data', data, '--host', NETWORK.gateway, '--listen', NETWORK.gateway, '--port', String(port)],
      ...['--local-port', String(local), '--repo', repo, '--repo-interval', '1'],
      ...['--agent-package', await buildDeb(join(RUN, 'deb', 'control-plane'))],
      ...options,
    ];
    const { process: child, firstAdminUrl } = await launch(argv);
    const plane = new ControlPlane({ argv, data, local, process: child });
    await plane.signUp(new URL(firstAdminUrl ?? '').hash.replace('#token=', ''));
    return plane;
  }

  /** Is away from now on: in order, or as after a power cut. */
  async goesAway(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(signal);
    await once(this.process, 'close');
  }

  /** Is there again, at the address and with the data that it had. */
  async comesBack(): Promise<void> {
    ({ process: this.process } = await launch(this.argv));
  }

  /** Asks the API as the admin. Throws with the problem where the answer is none. */
  async ask<T>(path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.local}/api/v1/${path}`, {
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Runs the printed line on a Pi, as a person does. A Pi has sudo; this root file system has none, and we are root. */
  async enrols({ pi }: Device, role: string): Promise<void> {
    const { command } = await this.ask<{ readonly command: string }>('enrolment-tokens', { role });
    await pi.ok(command.replace('sudo --preserve-env=FLEET_TOKEN sh', 'sh'));
  }

  /** The newest rollout, once it is as expected; a story that waits in vain runs into its own limit. */
  async rolloutIs(state: string): Promise<{ readonly commit: string; readonly reason: string | null }> {
    for (;;) {
      const { items } = await this.ask<{ items: { state: string; commit: string; reason: string | null }[] }>(
        'rollouts',
      );
      if (items[0]?.state === state) return items[0];
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async stop(): Promise<void> {
    await this.goesAway();
    await rm(this.data, { recursive: true, force: true });
  }

  private async signUp(token: string): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.local}/api/v1/first-admin`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, name: 'ada', password: 'correct horse battery' }),
    });
    const { csrf } = (await answer.json()) as { readonly csrf: string };
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    this.headers = { cookie, 'x-csrf-token': csrf };
  }
}

interface Ready {
  readonly process: ChildProcess;
  readonly firstAdminUrl: string | null;
}

/** Starts it, and waits for the line in which it says that it is ready. */
function launch(argv: readonly string[]): Promise<Ready> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-10_000);
      const line = /^\{"ready":true.*\}\n/m.exec(said)?.[0];
      if (line === undefined) return;
      const { firstAdminUrl } = JSON.parse(line) as { readonly firstAdminUrl: string | null };
      resolve({ process: child, firstAdminUrl });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('close', (code) => reject(new Error(`The overlord ended with ${code}: ${said.slice(-2_000)}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, NETWORK.gateway);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
