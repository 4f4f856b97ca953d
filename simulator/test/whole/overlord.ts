import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';

interface Said {
  readonly ready?: true;
  readonly firstAdminUrl?: string;
}

/** The overlord as people start it, with its own database, and its first admin. */
export class Overlord {
  readonly url: string;
  /** File with the authority that devices pin. */
  readonly ca: string;
  readonly data: string;
  /** The same without TLS, for this machine. */
  readonly local: string;
  private readonly program: Program<Said>;
  private readonly headers: Readonly<Record<string, string>>;

  private constructor(
    parts: Pick<Overlord, 'url' | 'ca' | 'data' | 'local'> & {
      program: Program<Said>;
      headers: Readonly<Record<string, string>>;
    },
  ) {
    this.url = parts.url;
    this.ca = parts.ca;
    this.data = parts.data;
    this.program = parts.program;
    this.local = parts.local;
    this.headers = parts.headers;
  }

  static async start(repo: string): Promise<Overlord> {
    const data = await mkdtemp(join(tmpdir(), 'simulated-overlord-'));
    // As root the database runs as somebody else, who must be able to pass.
    await chmod(data, 0o711);
    const [port, localPort] = [await freePort(), await freePort()];
    const places = ['--data', data, '--host', '127.0.0.1', '--listen', '127.0.0.1'];
    const ports = ['--port', String(port), '--local-port', String(localPort)];
    const args = [...places, ...ports, '--repo', repo, '--repo-interval', '1', '--log-level', 'warn'];
    const { program, firstAdminUrl } = await running(args);
    const local = `http://127.0.0.1:${localPort}`;
    const headers = await signUp(local, /#token=([\w-]+)/.exec(firstAdminUrl)?.[1] ?? '');
    const ca = join(data, 'pinned.pem');
    await writeFile(ca, await (await fetch(`${local}/install/ca.pem`)).text());
    return new Overlord({ url: `https://127.0.0.1:${port}`, ca, data, program, local, headers });
  }

  /** Asks the API as the admin; throws where it refuses. */
  async ask<T>(path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.local}/api/v1/${path}`, {
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** A token by which that many devices join a segment. */
  async invite(
    segment: string,
    devices: number,
  ): Promise<{ readonly token: string; readonly devices: number }> {
    const { token } = await this.ask<{ token: string }>('enrolment-tokens', {
      role: 'hello',
      segment,
      uses: devices,
    });
    return { token, devices };
  }

  async remove(): Promise<void> {
    await this.program.end();
    await rm(this.data, { recursive: true, force: true });
  }
}

function running(args: readonly string[]): Promise<{ program: Program<Said>; firstAdminUrl: string }> {
  return new Promise((resolve, reject) => {
    const program = new Program<Said>('overlord/api/dist/src/main.js', args, {
      heard: ({ ready, firstAdminUrl = '' }) => ready === true && resolve({ program, firstAdminUrl }),
    });
    void program.ended.then(() => reject(new Error(`The overlord has ended: ${program.complaint}`)));
  });
}

async function signUp(local: string, token: string): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(`${local}/api/v1/first-admin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, name: 'ada', password: 'correct horse battery' }),
  });
  const { csrf } = (await answer.json()) as { readonly csrf: string };
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return { cookie, 'x-csrf-token': csrf };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
