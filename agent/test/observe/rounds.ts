import { rmSync } from 'node:fs';
import { FleetError } from '@metrica-fleet/protocol';
import type { Context } from '../../src/act/context.ts';
import { EMPTY_JOURNAL, type Journal } from '../../src/decide/journal.ts';
import { wantedKey } from '../../src/decide/wanted.ts';
import { observeDesired, type Wishes } from '../../src/observe/desired.ts';
import type { Moment } from '../../src/ports/clock.ts';
import { keepRound } from '../../src/report/silences.ts';
import type { Desired, Source } from '../../src/sources/source.ts';
import type { Config } from '../../src/config.ts';
import { bench, type Bench } from '../sources/bench.ts';

export const DESIRED: Desired = {
  schemaVersion: 1,
  role: 'web',
  commit: 'a'.repeat(40),
  digest: null,
  source: 'git',
  position: 'a',
  tree: 'b',
  layers: [{ from: 'sites/a.yaml', values: { NAME: 'x', COUNT: 1, ON: true } }],
};

/** A release as a source names it: a letter for its commit, and what tells how new it is. */
export function wish(letter: string, over: Partial<Desired> = {}): Desired {
  return { ...DESIRED, commit: letter.repeat(40), position: letter, ...over };
}

/** A source that is told what to answer; `null`: it does not. */
export class Told implements Source {
  readonly name: string;
  readonly needsStatement = false;
  readonly carrier: boolean;
  says: Desired | null | 'nothing' = null;
  asked = 0;

  constructor(name: string, carrier = false) {
    this.name = name;
    this.carrier = carrier;
  }

  desired(): Promise<Desired | null> {
    this.asked += 1;
    if (this.says === 'nothing') return Promise.resolve(null);
    if (this.says !== null) return Promise.resolve({ ...this.says, source: this.name });
    return Promise.reject(new FleetError({ code: 'source-unreachable', what: 'nobody there' }));
  }

  fetch(): Promise<never> {
    return Promise.reject(new Error('nothing is fetched here'));
  }
}

/** A device whose rounds of questions can be told one by one, with a clock that is turned by hand. */
export class Rounds {
  readonly on: Bench = bench();
  readonly sources: readonly Source[];
  journal: Journal = EMPTY_JOURNAL;
  now: Moment = { wall: '2026-03-01T00:00:00Z', uptime: 1_000, boot: 'first' };
  private readonly config: Config;

  constructor(sources: readonly Source[], config: Partial<Config> = {}) {
    this.sources = sources;
    this.config = this.on.config(config);
  }

  get context(): Context {
    const { ports, paths } = this.on.context;
    const clock = { now: () => this.now, sleep: () => Promise.resolve() };
    return {
      ports: { ...ports, clock },
      paths,
      sources: this.sources,
      config: this.config,
    } as unknown as Context;
  }

  /** A run that nobody asked for, or that somebody waits for. */
  async observe(eager = false): Promise<Wishes> {
    const wishes = await observeDesired(this.context, this.journal, { eager });
    await keepRound(this.context, wishes);
    return wishes;
  }

  /** The commit that is wanted, by its letter. */
  async follows(eager = false): Promise<string | null> {
    return (await this.observe(eager)).desired?.commit[0] ?? null;
  }

  passes(seconds: number): void {
    const wall = new Date(Date.parse(this.now.wall) + seconds * 1000);
    this.now = {
      ...this.now,
      wall: `${wall.toISOString().slice(0, 19)}Z`,
      uptime: this.now.uptime + seconds,
    };
  }

  reboots(boot: string): void {
    this.passes(60);
    rmSync(this.on.context.paths.run.dir, { recursive: true, force: true });
    this.now = { ...this.now, boot, uptime: 20 };
  }

  /** What is wanted has been brought in and passed its gate; `counter` is that of its statement. */
  async settles(counter?: number): Promise<void> {
    const { desired } = await this.observe(true);
    if (desired === null) throw new Error('nothing is wanted');
    const current = { key: wantedKey(desired), interval: 300 } as Journal['current'];
    const counters = counter === undefined ? this.journal.counters : { [desired.role]: counter };
    this.journal = { ...this.journal, current, counters };
  }
}
