import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { FakeOverlord } from './fake-overlord.ts';

/** The network between a device and its overlord: it may go silent without telling either, as routers do. */
export class Line {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
  }

  static async to(overlord: FakeOverlord): Promise<Line> {
    const { port, hostname } = new URL(overlord.url);
    const server = createServer();
    const line = new Line(server);
    server.on('connection', (near) => {
      const far = connect(Number(port), hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        line.sockets.add(from);
        from.on('error', () => to.destroy());
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => void server.listen(0, 'localhost', resolve));
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on nothing comes through, and nobody is told. */
  freeze(): void {
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => void this.server.close(resolve));
  }
}
