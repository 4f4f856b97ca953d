/** Seconds that nginx has to answer before the page is served without it. */
const PATIENCE = 60;
/** Port of the page, and the other one where that is taken. */
export const PORTS = [80, 8800] as const;

/** What decides who serves the page. */
export interface FrontPorts {
  /** Whether the page of safe mode answers on a port of this machine. */
  answers(port: number): Promise<boolean>;
  /** Whether nginx is on its way, or running. */
  nginxIsThere(): Promise<boolean>;
  /** Serves the page on a port; false where that is taken. */
  listen(port: number): Promise<boolean>;
  /** Seconds, monotonic. */
  uptime(): number;
}

/** Where the page is. `null`: nowhere yet. */
export type Front = { readonly port: number; readonly own: boolean } | null;

/**
 * One look: who serves the page, and if nobody does, we. nginx is waited for while it is on its way; when it is gone,
 * with the engine or with its image, its place is taken. What serves already is never pushed aside.
 */
export class FrontWatch {
  private readonly since: number;
  private readonly ports: FrontPorts;
  private front: Front = null;
  private misses = 0;

  constructor(ports: FrontPorts) {
    this.ports = ports;
    this.since = ports.uptime();
  }

  async look(): Promise<Front> {
    if (this.front?.own === true) return this.front;
    const port = await this.findAnswering();
    this.misses = port === null ? this.misses + 1 : 0;
    if (port !== null) this.front = { port, own: false };
    else if (this.front !== null && this.misses < 2) return this.front;
    else this.front = (await this.mayStillCome()) ? null : await this.takePlace();
    return this.front;
  }

  /** Where it was is asked first: what else answers on the other port need not hear of us each time. */
  private async findAnswering(): Promise<number | null> {
    const ports = this.front === null ? PORTS : [this.front.port, ...PORTS];
    for (const port of ports) if (await this.ports.answers(port)) return port;
    return null;
  }

  private async mayStillCome(): Promise<boolean> {
    return this.ports.uptime() < this.since + PATIENCE && (await this.ports.nginxIsThere());
  }

  private async takePlace(): Promise<Front> {
    for (const port of PORTS) if (await this.ports.listen(port)) return { port, own: true };
    return null;
  }
}
