import type { Problem } from '@metrica-fleet/protocol';
import { decide } from '../../src/decide/decide.ts';
import { EMPTY_JOURNAL, type Deployment, type Gate, type Journal } from '../../src/decide/journal.ts';
import type { Effect, Event, Fault, HistoryEntry } from '../../src/decide/vocabulary.ts';
import { wantedKey } from '../../src/decide/wanted.ts';
import type { Moment } from '../../src/ports/clock.ts';
import type { Desired } from '../../src/sources/source.ts';

/** A commit id from one letter, so that stories read «a is pushed, then b». */
function commit(letter: string): string {
  return letter.repeat(40);
}

export function wanted(letter: string, role = 'web'): Desired {
  return {
    schemaVersion: 1,
    role,
    commit: commit(letter),
    digest: null,
    source: 'git',
    position: commit(letter),
    tree: letter,
    layers: [],
  };
}

export function deployment(letter: string, role = 'web'): Deployment {
  const digest = letter.charCodeAt(0).toString(16).padStart(64, '0');
  return {
    key: wantedKey(wanted(letter, role)),
    release: { role, commit: commit(letter), digest },
    variables: {},
    services: { web: { inputs: digest, oneShot: false } },
    images: ['web:1'],
    interval: 300,
  };
}

export const CONTENT: Problem = { code: 'health-failed', what: 'web is unhealthy' };
export const ENVIRONMENT: Problem = { code: 'source-unreachable', what: 'no route to host' };
/** The engine does not answer. */
export const AWAY: Problem = { code: 'docker-unreachable', what: 'no engine' };
export const STOPPED: Fault = { kind: 'stopped', subject: 'web', detail: 'has exited with 1' };

/** A journal of a device that runs release `a` and knows release `f` from before. */
export const RUNNING_A: Journal = { ...EMPTY_JOURNAL, current: deployment('a'), previous: deployment('f') };

/** A device whose mind is real and whose world is told by the test. */
export class Story {
  journal: Journal;
  now: Moment = { wall: '2026-01-01T00:00:00Z', uptime: 1_000, boot: 'boot-1' };
  effect: Effect | null = null;
  readonly history: HistoryEntry[] = [];
  readonly states: string[] = [];

  constructor(journal: Journal = RUNNING_A) {
    this.journal = journal;
  }

  /** Feeds one event and remembers the state that it led to. */
  happens(event: Event): this {
    const step = decide(this.journal, event, this.now);
    this.journal = step.journal;
    this.effect = step.effect;
    this.history.push(...step.history);
    this.states.push(step.journal.state.name);
    return this;
  }

  /** A run starts, sees this, and what it wants. */
  runs(desired: Desired | null, faults: readonly Fault[] | null = []): this {
    return this.happens({ type: 'observed', seen: { desired, faults } });
  }

  waits(seconds: number): this {
    this.now = { ...this.now, uptime: this.now.uptime + seconds };
    return this;
  }

  reboots(): this {
    const count = Number(this.now.boot.slice(5)) + 1;
    this.now = { ...this.now, uptime: 20, boot: `boot-${count}` };
    return this;
  }

  fails(problem: Problem): this {
    return this.happens({ type: 'failed', problem });
  }

  /** The update on its way goes well up to and including this state. */
  reaches(state: 'staging' | 'staged' | 'activating' | 'probation' | 'idle', letter: string): this {
    const next = deployment(letter);
    this.runs(wanted(letter));
    const path: [string, Event][] = [
      ['staging', { type: 'fetched', deployment: next, counter: null }],
      ['staged', { type: 'pulled' }],
      ['activating', { type: 'marked' }],
      ['probation', { type: 'activated', gate: this.gate() }],
      ['idle', { type: 'passed' }],
    ];
    for (const [name, event] of path) {
      if (name !== 'staging') this.happens(event);
      else if (state === 'staging') return this;
      else this.happens(event);
      if (name === state) return this;
    }
    return this;
  }

  /** What is left of an update is removed, of which nothing more is to be told. */
  tidies(): this {
    return this.happens({ type: 'collected', images: [], bytes: 0, problem: null });
  }

  gate(): Gate {
    return { opened: this.now, goodSince: null, restarts: {}, reboots: 0 };
  }
}
