import { readFile, rename, rm, stat, writeFile, chmod } from 'node:fs/promises';
import { createServer, request, type RequestListener, type Server } from 'node:http';
import { hostname, networkInterfaces, uptime } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodeCheck } from './code.ts';
import { factsOf, type Facts } from './facts.ts';
import { FrontWatch, PORTS, type Front } from './front.ts';
import { pageUrl, reachableAddresses } from './local-network.ts';
import { renderPage } from './page.ts';
import { parseReason } from './reason.ts';
import { respond, type Counter } from './respond.ts';
import { STYLE } from './style.ts';

// A program of its own, in a bundle of its own: it must run when the agent does not. It writes to one folder, and what
// it asks for there (a redeploy) a unit of root's carries out. See `debian/safe-mode` and SPEC.md.

/** Milliseconds between two looks at the device and at who serves the page. */
const PAUSE = 3_000;

const root = process.env['ROLE_AGENT_ROOT'] ?? '/';
const at = (path: string): string => join(root, 'run/role-agent-safe-mode', path);
const PAGE = at('page');

main().catch((thrown: unknown) => {
  process.stderr.write(`role-agent safe mode: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  let front: Front = null;
  const counter: Counter = {
    facts: () => findFacts(front),
    code: () => readOrNull(at('code')),
    interfaces: networkInterfaces,
    uptime,
    press: () => writeFile(join(PAGE, 'redeploy'), ''),
    check: new CodeCheck(),
  };
  await keepPage(await counter.facts());
  await listenOnSocket(counter);
  const watch = new FrontWatch({
    answers,
    nginxIsThere: async () => (await stat(at('nginx')).catch(() => null)) !== null,
    listen: (port) => listenOnPort(counter, port),
    uptime,
  });
  for (;;) {
    front = await watch.look();
    await keepPage(await counter.facts());
    await keep('port', front === null ? '' : `${front.port}\n`);
    await sleep(PAUSE);
  }
}

async function findFacts(front: Front): Promise<Facts> {
  const port = front?.port ?? Number((await readOrNull(at('port'))) ?? PORTS[0]);
  const [reason, model, serial, ssh, journal] = await Promise.all([
    readOrNull(join(root, 'run/role-agent/safe-mode.json')),
    readOrNull(join(root, 'proc/device-tree/model')),
    readOrNull(join(root, 'proc/device-tree/serial-number')),
    readOrNull(at('ssh')),
    readOrNull(at('log')),
  ]);
  return factsOf({
    reason: parseReason(reason),
    hostname: hostname(),
    model,
    serial,
    pages: reachableAddresses(networkInterfaces()).map((address) => pageUrl(address, port)),
    ssh,
    journal: journal ?? '',
  });
}

/** The files that nginx serves. */
async function keepPage(facts: Facts): Promise<void> {
  await keep('index.html', renderPage(facts));
  await keep('status.json', `${JSON.stringify(facts)}\n`);
  await keep('style.css', STYLE);
}

/** Writes a file if it is not so already: whole or not at all, since somebody may be reading it. */
async function keep(name: string, content: string): Promise<void> {
  const path = join(PAGE, name);
  if ((await readFile(path, 'utf8').catch(() => null)) === content) return;
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

/** Text without the NULs and line ends that the kernel and shells put behind it; null where there is none. */
async function readOrNull(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.replace(/[\0\s]+$/, '') || null;
}

/** For nginx, which says who the caller is. Whoever else can reach it is on this device. */
async function listenOnSocket(counter: Counter): Promise<void> {
  const socket = join(PAGE, 'handler.sock');
  await rm(socket, { force: true });
  const server = serverOf(counter, ({ headers }) => String(headers['x-real-ip'] ?? ''));
  await listening(server, () => server.listen(socket));
  // nginx's worker is another user, who must be able to connect.
  await chmod(socket, 0o666);
}

/** False where the port is taken, or not ours to have. */
async function listenOnPort(counter: Counter, port: number): Promise<boolean> {
  const server = serverOf(counter, ({ socket }) => socket.remoteAddress ?? '');
  return listening(server, () => server.listen(port)).then(
    () => true,
    () => false,
  );
}

function serverOf(counter: Counter, callerOf: (request: Parameters<RequestListener>[0]) => string): Server {
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 2_000 },
    (incoming, response) => {
      respond(counter, { request: incoming, response, caller: callerOf(incoming) }).catch(
        (thrown: unknown) => {
          process.stderr.write(`role-agent safe mode: ${String(thrown)}\n`);
          response.destroy();
        },
      );
    },
  );
  server.maxConnections = 64;
  return server;
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', resolve);
    listen();
  });
}

/** Whether the page of safe mode, and nothing else, answers there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/status.json', timeout: 3_000, agent: false },
      (reply) => {
        let body = '';
        reply.setEncoding('utf8');
        reply.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > 1_000_000) reply.destroy();
        });
        reply.on('close', () => resolve(/"safeMode":true/.test(body.slice(0, 100))));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
