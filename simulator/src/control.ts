import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Device } from './device.ts';
import type { Fleet } from './fleet.ts';

/** What the controls do to a device. */
const ACTIONS = {
  cut: (device: Device) => device.cut(),
  restore: (device: Device) => device.restore(),
  reboot: (device: Device) => device.reboot(),
} as const;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Answers on a unix socket, see README.md. Closing it removes the socket. */
export async function serveControls(fleet: Fleet, path: string): Promise<Server> {
  const server = createServer((request, response) => respond(fleet, request, response));
  server.listen(path);
  await once(server, 'listening');
  return server;
}

function respond(fleet: Fleet, request: IncomingMessage, response: ServerResponse): void {
  const { status, body } = answerTo(fleet, `${request.method} ${request.url}`);
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

function answerTo(fleet: Fleet, asked: string): Answer {
  if (asked === 'GET /devices') {
    return { status: 200, body: [...fleet.values()].map((device) => device.view()) };
  }
  const [, method, name = '', action] = /^(GET|POST) \/devices\/([\w-]+)(?:\/(\w+))?$/.exec(asked) ?? [];
  const device = fleet.get(name);
  if (device === undefined) return refused(404, `There is no device «${name}»`);
  if (method === 'GET' && action === undefined) return { status: 200, body: device.view() };
  if (method !== 'POST' || action === undefined || !(action in ACTIONS))
    return refused(404, `There is nothing behind «${asked}»; simulator/README.md lists the controls`);
  ACTIONS[action as keyof typeof ACTIONS](device);
  return { status: 200, body: device.view() };
}

function refused(status: number, what: string): Answer {
  return { status, body: { what } };
}
