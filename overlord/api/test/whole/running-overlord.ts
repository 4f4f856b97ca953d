import { ROUTES, type Route, type RouteName } from '@metrica-fleet/protocol/api';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyDatabase } from '../postgres.ts';

const API = join(import.meta.dirname, '../..');

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Parsed; undefined where it is no JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at whatever comes
  readonly body: any;
}

type GivenDatabase = Awaited<ReturnType<typeof emptyDatabase>>;

/**
 * The overlord as people start it: a process of its own, with its own database in its own folder; or with a database of
 * the server that TEST_DATABASE_URL names.
 */
export class RunningOverlord {
  static readonly usesOwnDatabase: boolean = process.env['TEST_DATABASE_URL'] === undefined;

  readonly data: string;
  private readonly args: readonly string[];
  readonly port: number;
  private readonly database: GivenDatabase | null;
  private process: ChildProcess | null = null;
  firstAdminToken = '';

  private constructor(
    parts: Pick<RunningOverlord, 'data' | 'port'>,
    args: readonly string[],
    database: GivenDatabase | null,
  ) {
    this.data = parts.data;
    this.port = parts.port;
    this.args = args;
    this.database = database;
  }

  static async start(...args: readonly string[]): Promise<RunningOverlord> {
    const data = await mkdtemp(join(tmpdir(), 'fleet-overlord-'));
    await chmod(data, 0o711);
    const database = RunningOverlord.usesOwnDatabase ? null : await emptyDatabase();
    const overlord = new RunningOverlord({ data, port: await freePort() }, args, database);
    await overlord.resume();
    return overlord;
  }

  /** Starts it again on what it left. */
  async resume(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        join(API, 'dist/src/main.js'),
        ...['--data', this.data, '--host', 'localhost', '--listen', '127.0.0.1'],
        ...['--port', String(await freePort()), '--local-port', String(this.port), ...this.args],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: this.environment },
    );
    this.process = child;
    this.firstAdminToken = await new Promise((resolve, reject) => {
      let said = '';
      const hear = (chunk: Buffer): void => {
        said += chunk.toString('utf8');
        const ready = /^\{"ready":true.*$/m.exec(said)?.[0];
        if (ready !== undefined && said.endsWith('\n')) resolve(/#token=([\w-]+)/.exec(ready)?.[1] ?? '');
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('close', (code) =>
        reject(new Error(`The overlord ended with ${code}: ${said.slice(-2_000)}`)),
      );
    });
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  private get environment(): Readonly<Record<string, string>> {
    const base = { PATH: process.env['PATH'] ?? '' };
    return this.database === null ? base : { ...base, DATABASE_URL: this.database.url };
  }

  /** Ends it by a signal and waits until it is gone. Returns its exit code; null when the signal killed it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.process;
    this.process = null;
    if (child === null || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  async remove(): Promise<void> {
    await this.end('SIGTERM');
    await this.database?.drop();
    await rm(this.data, { recursive: true, force: true });
  }

  /** Calls a route by its name; what is in `headers` proves who calls. */
  call(
    name: RouteName,
    {
      headers = {},
      body,
      params = {},
    }: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
      readonly params?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Answer> {
    const route: Route = ROUTES[name];
    const path = Object.entries(params).reduce(
      (text, [key, value]) => text.replace(`:${key}`, value),
      route.path,
    );
    return this.send(route.method, path, {
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  send(
    method: string,
    path: string,
    {
      headers = {},
      body,
    }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          agent: false,
          headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const json = String(answer.headers['content-type']).includes('json');
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              text,
              body: json ? JSON.parse(text) : undefined,
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** The first admin: the headers that prove it. */
  async firstAdmin(): Promise<Readonly<Record<string, string>>> {
    const body = { token: this.firstAdminToken, name: 'ada', password: 'correct horse battery' };
    const answer = await this.call('createFirstAdmin', { body });
    if (answer.status !== 200) throw new Error(`No first admin: ${answer.text}`);
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    return { cookie, 'x-csrf-token': answer.body.csrf };
  }
}

/** Compiled once per test run: the overlord runs as its users run it. */
export async function buildOverlord(): Promise<void> {
  const root = join(API, '../..');
  await execa(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'overlord/api'], {
    cwd: root,
  });
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
