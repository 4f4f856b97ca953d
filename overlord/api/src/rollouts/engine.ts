import { sql, type Kysely, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { announce } from '../db/announce.ts';
import type { Schema } from '../db/schema.ts';
import {
  finish,
  halt,
  letStandIn,
  openStage,
  patternOfStage,
  pause,
  setSoak,
  type Change,
  type ChangePorts,
  type Deed,
} from './change-rollout.ts';
import { countOpen } from './count-stages.ts';
import { lookAtRole } from './cover.ts';
import { holdRollout, type OpenRow } from './open-row.ts';
import { plan } from './planner.ts';
import type { Seen, Transition } from './rollout.ts';

export interface EnginePorts extends ChangePorts {
  readonly db: Kysely<Schema>;
  readonly log: Logger;
}

/** Any number, the same for all overlords (pg_try_advisory_xact_lock): who has it leads for one transaction. */
const LOCK = 5_340_119;
/** A rollout comes to rest in a few steps a stage; more in one tick is a bug of ours. */
const MOST_STEPS = 100;

/**
 * Deployment Control's engine: looks at every rollout that is open and does what the planner says. Each transition is
 * one transaction, from counting to audit and signals: an engine that dies between two leaves nothing half done, and
 * two that tick at once do each thing once.
 */
export class Engine {
  private readonly ports: EnginePorts;
  /** What was counted last, by rollout: dashboards are told of what changed. */
  private counted = new Map<string, string>();
  private due = false;
  private nudged: () => void = () => undefined;

  constructor(ports: EnginePorts) {
    this.ports = ports;
  }

  /** Looks at all open rollouts once. Returns how many transitions were made here. */
  async tick(): Promise<number> {
    const open = await this.ports.db
      .selectFrom('rollouts')
      .select('id')
      .where('state', 'in', ['running', 'paused'])
      .execute();
    this.counted = new Map([...this.counted].filter(([id]) => open.some((row) => row.id === id)));
    let made = 0;
    for (const { id } of open) {
      for (let steps = 0; await this.step(id); steps += 1) {
        made += 1;
        if (steps === MOST_STEPS) throw new Error(`Rollout ${id} does not come to rest`);
      }
    }
    return made;
  }

  /** Ticks every `interval` milliseconds until `signal` aborts, at once when nudged, and never more than a twentieth of the time. */
  async run({
    interval,
    signal,
  }: {
    readonly interval: number;
    readonly signal: AbortSignal;
  }): Promise<void> {
    signal.addEventListener('abort', () => this.nudge(), { once: true });
    while (!signal.aborted) {
      const begun = performance.now();
      this.due = false;
      try {
        await this.tick();
      } catch (thrown) {
        if (!signal.aborted) this.ports.log.error({ err: thrown }, 'A tick of Deployment Control failed');
      }
      if (!this.due) await this.rest(Math.max(interval, 20 * (performance.now() - begun)));
    }
  }

  /** Something was decided (`decisions` announced): the next tick comes now, or right after the present one. */
  nudge(): void {
    this.due = true;
    this.nudged();
  }

  private async rest(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds).unref();
      this.nudged = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One transition of one rollout, if there is one to make and nobody else leads. */
  private async step(id: string): Promise<boolean> {
    const { db } = this.ports;
    return db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ leads: boolean }>`
        select pg_try_advisory_xact_lock(${LOCK}) as leads`.execute(trx);
      if (rows[0]?.leads !== true) return false;
      const rollout = await holdRollout(trx, id);
      if (rollout === undefined) return false;
      const seen = await this.look(trx, rollout);
      const transition = plan(rollout, seen, this.ports.now());
      if (transition === null) {
        await this.announceCounts(trx, id, seen);
        return false;
      }
      await make({ trx, ports: this.ports, rollout }, transition);
      this.ports.log.info({ role: rollout.role, rollout: id, ...transition }, 'A rollout went on');
      return true;
    });
  }

  private async look(trx: Transaction<Schema>, rollout: OpenRow): Promise<Seen> {
    const counts = (await countOpen(trx, [rollout.id])).get(rollout.id) ?? [];
    // Only asked for where the planner needs it: before the first stage, and where that has nobody.
    const needed = rollout.progress.length <= 1 && (counts[0]?.total ?? 0) === 0;
    return { counts, roleDevices: needed ? await lookAtRole(trx, rollout.role) : 'some' };
  }

  /** The check-in announces nothing; what it changed is told here, once a tick at most. */
  private async announceCounts(trx: Transaction<Schema>, id: string, { counts }: Seen): Promise<void> {
    const now = JSON.stringify(counts);
    if (this.counted.get(id) === now) return;
    this.counted.set(id, now);
    await announce(trx, 'rollouts', id);
  }
}

const BY_ITSELF = 'overlord';

/** Makes a transition so. */
async function make(change: Change, transition: Transition): Promise<void> {
  const deed = (action: string): Deed => ({ actor: BY_ITSELF, action });
  switch (transition.kind) {
    case 'open':
      return openStage(change, transition.stage, deed('open stage'));
    case 'stand-in':
      return letStandIn(change, deed('choose first device'));
    case 'soak':
      return setSoak(change, change.ports.now());
    case 'break-soak':
      return setSoak(change, null);
    case 'halt':
      return halt(change, await patternOfStage(change, transition.stage), deed('halt rollout'));
    case 'pause':
      return pause(change, transition.reason, deed('pause rollout'));
    case 'done':
      return finish(change, deed('finish rollout'));
  }
}
