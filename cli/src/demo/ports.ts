import { FleetError } from '@metrica-fleet/protocol';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Where a browser may look for `localhost`. */
const LOOPBACKS = ['127.0.0.1', '::1'];

/** Throws where somebody listens on a port of this machine already, or we may not. */
export async function refuseTakenPort(port: number): Promise<void> {
  for (const host of LOOPBACKS) await tryPort(port, host);
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  return await listenOnce(0, '127.0.0.1');
}

async function tryPort(port: number, host: string): Promise<void> {
  try {
    await listenOnce(port, host);
  } catch (thrown) {
    const { code = 'unknown', message } = thrown as NodeJS.ErrnoException;
    // A machine without IPv6.
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return;
    throw new FleetError({
      code: 'command-failed',
      what: code === 'EADDRINUSE' ? `The port ${port} is taken` : `Cannot listen on port ${port}: ${message}`,
      where: `http://localhost:${port}`,
      remedy: `Take another: ./fleet demo --port ${port < 65_535 && port >= 1_023 ? port + 1 : 8_081}. What uses it: ss -ltnp 'sport = :${port}'`,
    });
  }
}

async function listenOnce(port: number, host: string): Promise<number> {
  const server = createServer();
  server.listen({ port, host, exclusive: true });
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return taken;
}
