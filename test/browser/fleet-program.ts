import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

const ROOT = dirname(dirname(import.meta.dirname));

/** `./fleet …` as a person runs it, for as long as it runs; what it prints is kept. */
export class FleetProgram {
  readonly process: ChildProcess;
  private said = '';

  constructor(args: readonly string[]) {
    this.process = spawn(join(ROOT, 'fleet'), args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.said += chunk.toString('utf8')));
    }
  }

  /** Waits until it has printed something of this form; fails when it ends before. */
  async says(form: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = form.exec(this.said);
      if (found !== null) return found;
      if (this.process.exitCode !== null) throw new Error(`fleet ended: ${this.said.slice(-4_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** SIGTERM, as systemd or a person sends it; returns the exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'close');
    }
    return this.process.exitCode;
  }
}

/** A port that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
