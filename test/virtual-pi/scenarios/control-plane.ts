import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { NETWORK, RUN } from '../places.ts';
import { buildDeb } from '@metrica-fleet/agent/deb';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));

/** The overlord as people start it, where the Pis reach it. */
export class ControlPlane {
  private readonly data: string;
  private readonly process: ChildProcess;
  private readonly local: number;
  private readonly headers: Readonly<Record<string, string>>;

  private constructor(parts: {
    readonly data: string;
    readonly process: ChildProcess;
    readonly local: number;
    readonly headers: Readonly<Record<string, string>>;
  }) {
    this.data = parts.data;
    this.process = parts.process;
    this.local = parts.local;
    this.headers = parts.headers;
  }

  /** Follows `repo`; its first admin has signed up. */
  static async start(repo: string): Promise<ControlPlane> {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-b', 'overlord/api'], { cwd: ROOT });
    const data = await mkdtemp(join(tmpdir(), 'fleet-control-plane-'));
    await chmod(data, 0o711);
    const [port, local] = [await freePort(), await freePort()];
    const child = spawn(
      process.execPath,
      [
        join(ROOT, 'overlord/api/dist/src/main.js'),
        ...['--data', data, '--host', NETWORK.gateway, '--listen', NETWORK.gateway, '--port', String(port)],
        ...['--local-port', String(local), '--repo', repo, '--repo-interval', '1'],
        ...['--agent-package', await buildDeb(join(RUN, 'deb', 'control-plane'))],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const token = await firstAdminToken(child);
    const signedUp = await fetch(`http://127.0.0.1:${local}/api/v1/first-admin`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, name: 'ada', password: 'correct horse battery' }),
    });
    const { csrf } = (await signedUp.json()) as { readonly csrf: string };
    const cookie = (signedUp.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    return new ControlPlane({ data, process: child, local, headers: { cookie, 'x-csrf-token': csrf } });
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

  /** The line that a person runs on a Pi. */
  async enrolCommand(role: string): Promise<string> {
    const { command } = await this.ask<{ readonly command: string }>('enrolment-tokens', { role });
    return command;
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
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'close');
    }
    await rm(this.data, { recursive: true, force: true });
  }
}

function firstAdminToken(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk.toString('utf8');
      const token = /"ready":true.*#token=([\w-]+)/.exec(said)?.[1];
      if (token !== undefined) resolve(token);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
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
