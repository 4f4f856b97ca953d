import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../virtual-pi/places.ts';
import { must } from '../../virtual-pi/process.ts';
import { databaseIn, type EmbeddedDatabase } from '../support/database.ts';
import { trusting, type Target } from './http.ts';

/** A server under load, and where its database is. */
export interface Running {
  readonly target: Target;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The overlord as people start it, with its own PostgreSQL. */
export interface RunningOverlord extends Running {
  readonly database: EmbeddedDatabase;
  readonly certificate: Certificate;
}

/** Files of PEM. */
interface Certificate {
  readonly key: string;
  readonly chain: string;
}

/** Follows the repo, looks at it once. Builds the overlord where that is needed. `profile`: folder for a CPU profile. */
export async function startOverlord(repo: string, profile: string | null): Promise<RunningOverlord> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await must([process.execPath, tsc, '-b', 'overlord/api'], { cwd: ROOT, deadline: 300_000 });
  const data = await mkdtemp(join(tmpdir(), 'fleet-bench-'));
  await chmod(data, 0o711);
  const certificate = await makeCertificate(data);
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      ...profileTo(profile),
      join(ROOT, 'overlord/api/dist/src/main.js'),
      ...[
        '--data',
        join(data, 'overlord'),
        '--host',
        'localhost',
        '--listen',
        '127.0.0.1',
        '--port',
        `${port}`,
      ],
      ...['--tls-key', certificate.key, '--tls-certificate', certificate.chain],
      ...['--repo', repo, '--repo-interval', '3600', '--log-level', 'warn'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] ?? '' } },
  );
  await said(child, /^\{"ready":true/m);
  return {
    target: { port, trust: trusting(await readFile(join(data, 'authority.pem'), 'utf8')) },
    pid: child.pid ?? 0,
    database: await databaseIn(join(data, 'overlord')),
    certificate,
    async stop() {
      await ended(child);
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** The bare prototype on the overlord's PostgreSQL and with its certificate, so that both have the same. */
export async function startBare(overlord: RunningOverlord, profile: string | null): Promise<Running> {
  const program = join(import.meta.dirname, 'bare.js');
  const { key, chain } = overlord.certificate;
  const child = spawn(process.execPath, [...profileTo(profile), program, overlord.database.url, key, chain], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const port = Number(await said(child, /^\d+$/m));
  return { target: { ...overlord.target, port }, pid: child.pid ?? 0, stop: () => ended(child) };
}

function profileTo(folder: string | null): readonly string[] {
  return folder === null ? [] : ['--cpu-prof', '--cpu-prof-dir', folder];
}

/** As the overlord's own: ECDSA on P-256, a server's certificate and its authority's. */
async function makeCertificate(folder: string): Promise<Certificate> {
  const script = `set -e; cd "$1"
new='openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30'
$new -subj '/CN=Metrica Fleet bench' -keyout authority.key -out authority.pem
$new -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
  -CA authority.pem -CAkey authority.key -keyout server.key -out server.pem
cat server.pem authority.pem > chain.pem`;
  await must(['sh', '-c', script, 'sh', folder], { deadline: 30_000 });
  return { key: join(folder, 'server.key'), chain: join(folder, 'chain.pem') };
}

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const found = pattern.exec(text)?.[0];
      if (found !== undefined && text.endsWith('\n')) resolve(found);
    });
    child.on('close', (code) => reject(new Error(`The server ended with ${code}: ${text}`)));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'close');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
