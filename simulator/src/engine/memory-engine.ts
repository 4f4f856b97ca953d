import { digestOfJson, FleetError } from '@metrica-fleet/protocol';
import type { Clock, Disk, Engine, Image, Network, StackChange } from '@metrica-fleet/agent';
import type { Chance } from '../random.ts';
import { afterBoot, bear, portsOf, reported, ROLE_LABEL, type Stored } from './containers.ts';
import { isAnswering } from './life.ts';
import { resolveCompose } from './resolve.ts';

/** Uptime in seconds when the engine has started what is to be started again. */
const ENGINE_UP = 12;
/** Seconds between the start of a container and its first answer. */
const READY = { from: 1, to: 5 } as const;
/** Milliseconds that Compose takes for a change, from and to. */
const CHANGE = { from: 700, to: 2_500 } as const;

/** What of an engine lies on the card. */
export interface EngineStore {
  readonly images: Set<string>;
  containers: readonly Stored[];
}

export interface EngineHost {
  readonly store: EngineStore;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** Docker and Compose of one boot, in memory. Containers live by the rules of life.ts; nothing of them is run. */
export class MemoryEngine implements Engine, Network {
  private readonly host: EngineHost;
  private lives = 1;

  /** `before`: uptime in seconds at which the boot before this one ended. */
  constructor(host: EngineHost, before: number) {
    this.host = host;
    for (const stored of host.store.containers) afterBoot(stored, { before, engineUp: ENGINE_UP });
  }

  check(): Promise<{ readonly engine: string; readonly compose: string }> {
    return Promise.resolve({ engine: '26.1.5', compose: '2.26.1' });
  }

  life(): Promise<string | null> {
    return Promise.resolve(`${this.host.clock.now().boot} ${this.lives}`);
  }

  containers(project: string): ReturnType<Engine['containers']> {
    return Promise.resolve(this.of(project).map((stored) => reported(stored, this.now())));
  }

  projects(): Promise<readonly string[]> {
    const ours = this.host.store.containers.filter(
      ({ definition }) => ROLE_LABEL in (definition.labels ?? {}),
    );
    return Promise.resolve([...new Set(ours.map(({ project }) => project))].sort());
  }

  resolve(...[project, folder, variables]: Parameters<Engine['resolve']>): ReturnType<Engine['resolve']> {
    return resolveCompose(this.host.disk, { project, folder, variables });
  }

  missingImages(references: readonly string[]): Promise<readonly string[]> {
    return Promise.resolve(references.filter((reference) => !this.host.store.images.has(reference)));
  }

  imageIds(references: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const here = references.filter((reference) => this.host.store.images.has(reference));
    return Promise.resolve(Object.fromEntries(here.map((reference) => [reference, reference])));
  }

  /** Each has one name, which is its id, too. */
  images(): Promise<readonly Image[]> {
    const used = new Set(this.host.store.containers.map(({ definition }) => definition.image));
    return Promise.resolve(
      [...this.host.store.images].map((name) => ({
        id: name,
        tags: [name],
        size: 0,
        created: '',
        inUse: used.has(name),
      })),
    );
  }

  removeImage(_label: string, names: readonly string[]): Promise<void> {
    for (const name of names) this.host.store.images.delete(name);
    return Promise.resolve();
  }

  async up({ model, services }: StackChange): Promise<void> {
    if (services.length === 0) return;
    const missing = services.find((name) => !this.host.store.images.has(model.services[name]?.image ?? ''));
    if (missing !== undefined) {
      throw new FleetError({
        code: 'start-failed',
        what: `The stack does not start: no such image: ${model.services[missing]?.image ?? ''}`,
        where: `service ${missing}`,
      });
    }
    await this.takesTime();
    for (const service of services) this.bring(model, service);
  }

  async restart(_label: string, project: string, services: readonly string[]): Promise<void> {
    await this.takesTime();
    for (const stored of this.of(project)) {
      if (services.includes(stored.service)) stored.started = this.now();
    }
  }

  async removeServices(_label: string, project: string, services: readonly string[]): Promise<void> {
    if (services.length === 0) return;
    await this.takesTime();
    this.remove((stored) => stored.project === project && services.includes(stored.service));
  }

  async down(_label: string, project: string): Promise<void> {
    await this.takesTime();
    this.remove((stored) => stored.project === project);
  }

  async restartEngine(): Promise<void> {
    await this.takesTime();
    const now = this.now();
    for (const stored of this.host.store.containers) afterBoot(stored, { before: now, engineUp: now });
    this.lives += 1;
  }

  execIn(container: string): Promise<string | null> {
    const stored = this.host.store.containers.find(({ id }) => id === container);
    return Promise.resolve(stored !== undefined && this.answers(stored) ? null : 'exit 1: not ready');
  }

  logs(container: string): Promise<string> {
    const stored = this.host.store.containers.find(({ id }) => id === container);
    if (stored === undefined) return Promise.resolve('');
    const { state, health, exitCode } = reported(stored, this.now());
    const lines = [`${stored.service} of ${stored.definition.image ?? 'no image'} has started (simulated)`];
    if (health === 'unhealthy') lines.push('health check failed: no answer (simulated)');
    if (state !== 'running') lines.push(`fatal: it ends with exit code ${exitCode} (simulated)`);
    return Promise.resolve(`${lines.join('\n')}\n`);
  }

  /** Nobody can reach a simulated device. */
  addresses(): readonly string[] {
    return [];
  }

  probeHttp(url: string): Promise<string | null> {
    const { port, protocol } = new URL(url);
    return this.probe(Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port), 'HTTP 503');
  }

  probeTcp(_host: string, port: number): Promise<string | null> {
    return this.probe(port, 'connection reset');
  }

  /** Ids of the containers that run, for the gate. */
  running(): ReadonlySet<string> {
    const running = this.host.store.containers.filter(
      (stored) => reported(stored, this.now()).state === 'running',
    );
    return new Set(running.map(({ id }) => id));
  }

  private probe(port: number, ill: string): Promise<string | null> {
    const serving = this.host.store.containers.filter((stored) => portsOf(stored)?.includes(port) ?? true);
    const running = serving.filter((stored) => reported(stored, this.now()).state === 'running');
    if (running.some((stored) => this.answers(stored))) return Promise.resolve(null);
    const fails = running.some(({ fate }) => fate.kind === 'lasts' && fate.check === 'fails');
    return Promise.resolve(fails ? ill : `connect ECONNREFUSED 127.0.0.1:${port}`);
  }

  private answers({ fate, started }: Stored): boolean {
    return started !== null && isAnswering(fate, this.now() - started);
  }

  /** As Compose: what runs from the same definition stays, all else is made anew. */
  private bring(model: StackChange['model'], service: string): void {
    const { store, chance } = this.host;
    const definition = model.services[service];
    const same = this.of(model.name).find(
      (stored) =>
        stored.service === service &&
        digestOfJson(stored.definition) === digestOfJson(definition) &&
        reported(stored, this.now()).state === 'running',
    );
    if (same !== undefined) return;
    this.remove((stored) => stored.project === model.name && stored.service === service);
    const ready = chance.between(READY.from, READY.to);
    const made = bear({ id: chance.hex(64), model, service, ready, now: this.now() });
    store.containers = [...store.containers, made];
  }

  private remove(which: (stored: Stored) => boolean): void {
    const { store } = this.host;
    store.containers = store.containers.filter((stored) => !which(stored));
  }

  private of(project: string): readonly Stored[] {
    return this.host.store.containers.filter((stored) => stored.project === project);
  }

  private now(): number {
    return this.host.clock.now().uptime;
  }

  private takesTime(): Promise<void> {
    return this.host.clock.sleep(this.host.chance.between(CHANGE.from, CHANGE.to));
  }
}
