import { rmdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../backoff.ts';
import type { DatabaseLog } from '../log.ts';
import { adopt, launch, type Running } from './launch.ts';
import { takeLock, type Lock } from './lock.ts';
import { rotateLog } from './log-file.ts';
import { findPostmaster, isAlive } from './postmaster.ts';
import type { Server } from './server.ts';
import { stopPostmaster } from './stop.ts';

/** A server that ran this long was well; what ends it then is a new trouble, tried again at once. Milliseconds. */
const WELL = 60_000;
const ROTATION = 3_600_000;

export interface Supervision {
  readonly server: Server;
  readonly running: Running;
  readonly lock: Lock;
  readonly log: DatabaseLog;
}

/** Keeps a server running until it is stopped. */
export class Supervisor {
  readonly #server: Server;
  readonly #log: DatabaseLog;
  readonly #end = new AbortController();
  readonly #watching: Promise<void>;
  readonly #rotation: NodeJS.Timeout;
  #running: Running;
  #lock: Lock;
  #stopped: Promise<void> | null = null;

  constructor({ server, running, lock, log }: Supervision) {
    this.#server = server;
    this.#running = running;
    this.#lock = lock;
    this.#log = log;
    this.#watching = this.#watch();
    void this.#keepLock();
    this.#rotation = setInterval(() => this.#rotate(), ROTATION).unref();
  }

  get pid(): number {
    return this.#running.postmaster.pid;
  }

  /** Ends the server in order, and frees the data folder. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    // Then it belongs to another overlord.
    const abandoned = this.#end.signal.aborted;
    this.#end.abort();
    clearInterval(this.#rotation);
    if (abandoned) return;
    // A restart that is under way fails when its server ends; one that was quicker leaves its server to us.
    const live = await findPostmaster(this.#server.cluster);
    if (live !== null) await stopPostmaster(live, this.#log);
    await this.#watching;
    await stopPostmaster(this.#running.postmaster, this.#log);
    // Outside of the data folder it would stay behind until the next boot.
    await rmdir(this.#server.socketFolder).catch(() => undefined);
    await this.#lock.release();
    this.#log.info('PostgreSQL has stopped');
  }

  /** Brings the server back whenever it is lost. */
  async #watch(): Promise<void> {
    const { signal } = this.#end;
    for (let attempt = 0; ; attempt += 1) {
      const since = performance.now();
      await this.#running.lost;
      if (performance.now() - since > WELL) attempt = 0;
      while (!signal.aborted && !(await this.#bringBack(attempt))) attempt += 1;
      if (signal.aborted) return;
    }
  }

  /** One try, after its wait. */
  async #bringBack(attempt: number): Promise<boolean> {
    const { postmaster } = this.#running;
    const wait = attempt === 0 ? 0 : backoff(attempt, 0);
    if (!(await isAlive(postmaster)))
      this.#log.error({ pid: postmaster.pid, wait }, 'PostgreSQL ended, and is started again');
    try {
      await sleep(wait, undefined, { signal: this.#end.signal });
      this.#running = (await adopt(this.#server, this.#log)) ?? (await launch(this.#server, this.#log));
      this.#log.warn({ pid: this.pid }, 'PostgreSQL is back');
      return true;
    } catch (error) {
      if (!this.#end.signal.aborted) this.#log.error({ err: error }, 'PostgreSQL did not come back');
      return false;
    }
  }

  /**
   * The lock is held by a process of its own; when somebody kills that, it is taken again. Should another overlord have
   * been quicker, the server is now its business: we go on as one more client.
   */
  async #keepLock(): Promise<void> {
    for (;;) {
      await this.#lock.lost;
      if (this.#end.signal.aborted) return;
      try {
        this.#lock = await takeLock(this.#server.lockFile);
        this.#log.warn('The process that held the lock of the database was killed; the lock is taken again');
      } catch (error) {
        this.#end.abort();
        this.#log.error(
          { err: error },
          'The lock of the database was lost; this overlord no longer looks after it',
        );
      }
    }
  }

  #rotate(): void {
    rotateLog(this.#server.logFile).catch((error: unknown) =>
      this.#log.warn({ err: error }, "PostgreSQL's log was not rotated"),
    );
  }
}
