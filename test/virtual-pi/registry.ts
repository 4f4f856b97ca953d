import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, mustDocker } from './engine.ts';
import { NETWORK } from './places.ts';

/** Debian's docker-registry behind a line that can be slow, and can be cut. */
export class Registry {
  private readonly folder: string;
  private readonly daemon: ChildProcess;
  private readonly line: Line;

  private constructor(folder: string, daemon: ChildProcess, line: Line) {
    this.folder = folder;
    this.daemon = daemon;
    this.line = line;
  }

  /** Starts a registry whose line carries so many bytes a second. */
  static async start(bytesPerSecond: number): Promise<Registry> {
    const folder = mkdtempSync(join(tmpdir(), 'metrica-registry-'));
    const port = await freePort();
    const config = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${folder}}}\nhttp: {addr: '127.0.0.1:${port}'}\n`;
    writeFileSync(join(folder, 'config.yml'), config);
    const daemon = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
    const line = new Line(port, bytesPerSecond);
    await line.restore();
    const registry = new Registry(folder, daemon, line);
    await registry.answers(port);
    return registry;
  }

  /** What comes before the name of an image: `172.31.77.1:5000`. */
  get address(): string {
    return `${NETWORK.gateway}:${this.line.port}`;
  }

  /** Pushes an image that the engine has under another name, at full speed, and returns its name here. */
  async push(image: string, name: string): Promise<string> {
    const direct = `127.0.0.1:${this.line.target}/${name}`;
    await mustDocker(['tag', image, direct]);
    await mustDocker(['push', '-q', direct], { deadline: 120_000 });
    await docker(['rmi', direct]);
    return `${this.address}/${name}`;
  }

  async cut(): Promise<void> {
    await this.line.cut();
  }

  async restore(): Promise<void> {
    await this.line.restore();
  }

  async close(): Promise<void> {
    await this.line.cut();
    this.daemon.kill('SIGKILL');
    rmSync(this.folder, { recursive: true });
  }

  private async answers(port: number): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => null);
      if (answer?.ok === true) return;
      await sleep(100);
    }
    throw new Error('docker-registry did not answer within 10 s');
  }
}

/** A TCP line to a port of this machine, with a limited rate from there. */
class Line {
  readonly target: number;
  private readonly rate: number;
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  port = 0;

  constructor(target: number, rate: number) {
    this.target = target;
    this.rate = rate;
  }

  async restore(): Promise<void> {
    const server = createServer((near) => this.carry(near));
    await new Promise<void>((resolve) => server.listen(this.port, NETWORK.gateway, resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Every connection breaks, and new ones are refused. */
  async cut(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  private carry(near: Socket): void {
    const far = connect(this.target, '127.0.0.1');
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      near.write(chunk);
      far.pause();
      setTimeout(() => far.resume(), (chunk.length / this.rate) * 1_000);
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
