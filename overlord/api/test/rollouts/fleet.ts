import { DEFAULT_STAGES, type Problem, type Stage, type Status } from '@metrica-fleet/protocol';
import type { RolloutState, Segment, StageCounts } from '@metrica-fleet/protocol/api';
import type { Transaction } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Schema } from '../../src/db/schema.ts';
import type { ChangePorts } from '../../src/rollouts/change-rollout.ts';
import { countEnded } from '../../src/rollouts/count-stages.ts';
import { decide } from '../../src/rollouts/decision.ts';
import { keepDecisions, type Decisions } from '../../src/rollouts/decisions.ts';
import { Engine } from '../../src/rollouts/engine.ts';
import { observe } from '../../src/rollouts/observe.ts';
import { startRollout } from '../../src/rollouts/start-rollout.ts';
import { splayFor, wake } from '../../src/signals/wake.ts';
import { freshDatabase, SILENT, type FreshDatabase } from '../postgres.ts';

/** One simulated device: what it runs, and what it does with a release that it is offered. */
export interface SimulatedDevice {
  readonly id: string;
  readonly name: string;
  readonly segment: Segment;
  position: string | null;
  runs: { role: string; commit: string } | null;
}

const REFUSED: Problem = { code: 'health-failed', what: 'The service web is not healthy' };

/** A fleet in a real database, with an engine of its own and a clock that only tests move. */
export class Fleet {
  readonly database: FreshDatabase;
  readonly decisions: Decisions;
  readonly engine: Engine;
  readonly ports: ChangePorts;
  readonly devices: SimulatedDevice[] = [];
  now = new Date('2026-01-01T00:00:00Z');
  private counter = 0;
  private readonly stop = new AbortController();

  private constructor(database: FreshDatabase) {
    this.database = database;
    this.decisions = keepDecisions({ db: database.db, log: SILENT, signal: this.stop.signal });
    this.ports = {
      now: () => this.now,
      sign: (trx, releaseId) => this.sign(trx, releaseId),
      wake: (trx, ids) => wake(trx, ids, { reason: 'release', splay: splayFor(ids.length) }),
    };
    this.engine = this.newEngine();
  }

  static async begin(stages: readonly Stage[] = DEFAULT_STAGES): Promise<Fleet> {
    const fleet = new Fleet(await freshDatabase());
    await fleet.db
      .insertInto('repository')
      .values({ stages: JSON.stringify(stages), url: null, head: null, fetched_at: null, problem: null })
      .execute();
    return fleet;
  }

  get db(): FreshDatabase['db'] {
    return this.database.db;
  }

  newEngine(ports: Partial<ChangePorts> = {}): Engine {
    return new Engine({ ...this.ports, ...ports, db: this.db, log: SILENT });
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.database.close();
  }

  wait(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1_000);
  }

  async addDevice(segment: Segment, { online = true, role = 'web' } = {}): Promise<SimulatedDevice> {
    const id = randomUUID();
    const name = `${segment}-${this.devices.length}`;
    const evidence = {
      serial: null,
      machineId: null,
      model: 'Raspberry Pi 4 Model B',
      mac: null,
      arch: 'arm64',
    };
    await this.db
      .insertInto('devices')
      .values({
        id,
        name,
        segment,
        role,
        membership: 'active',
        evidence: JSON.stringify(evidence),
        enrolled_by: 'a test',
      })
      .execute();
    const device: SimulatedDevice = { id, name, segment, position: null, runs: null };
    this.devices.push(device);
    await this.writes(device, {}, online);
    return device;
  }

  async addDevices(segment: Segment, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) await this.addDevice(segment);
  }

  /** 20 devices that run release a, which has gone out: 2 canary, 5 early, 13 general. */
  async twenty(): Promise<void> {
    await this.addDevices('canary', 2);
    await this.addDevices('early', 5);
    await this.addDevices('general', 13);
    await this.push('a');
    for (let stage = 0; stage < 3; stage += 1) {
      await this.engine.tick();
      await this.checkInAll();
      await this.engine.tick();
      this.wait(601);
    }
    await this.engine.tick();
    await this.woken();
  }

  /** Makes a release of a role and begins to roll it out. Returns the rollout's id. */
  async push(letter: string, role = 'web'): Promise<string> {
    const releaseId = await this.addRelease(letter, role);
    return this.db.transaction().execute(async (trx) => {
      const statementId = await this.sign(trx, releaseId);
      return startRollout(trx, { releaseId, role, statementId, by: 'overlord', now: this.now });
    });
  }

  async addRelease(letter: string, role = 'web'): Promise<string> {
    const id = randomUUID();
    const text = { subject: `Change ${letter}`, message: '', author: 'Ada', committed_at: this.now };
    await this.db
      .insertInto('releases')
      .values({
        id,
        role,
        commit: commitOf(letter),
        tree: letter,
        digest: letter.repeat(64),
        state: 'ready',
        bundle_bytes: null,
        findings: '[]',
        files: '[]',
        ...text,
      })
      .execute();
    return id;
  }

  private async sign(trx: Transaction<Schema>, releaseId: string): Promise<string> {
    const { role } = await trx
      .selectFrom('releases')
      .select('role')
      .where('id', '=', releaseId)
      .executeTakeFirstOrThrow();
    const id = randomUUID();
    this.counter += 1;
    await trx
      .insertInto('statements')
      .values({ id, release_id: releaseId, role, counter: this.counter, statement: '{}', signature: 'x' })
      .execute();
    return id;
  }

  /** A device checks in, takes what it is offered, and says what came of it. Those of `bad` fail and go back. */
  async checkIn(device: SimulatedDevice, { bad = [] as readonly string[] } = {}): Promise<void> {
    await this.decisions.refresh();
    await this.take(device, bad);
  }

  async checkInAll({ bad = [] as readonly string[] } = {}): Promise<void> {
    await this.decisions.refresh();
    for (const device of this.devices) await this.take(device, bad);
  }

  private async take(device: SimulatedDevice, bad: readonly string[]): Promise<void> {
    const facts = { ...device, membership: 'active', role: 'web', site: null, updatesOff: false } as const;
    const { offer } = decide(facts, this.decisions.current());
    if (offer === null) return;
    device.position = offer.position;
    const wanted = { role: offer.role, commit: offer.commit, digest: offer.digest };
    if (bad.includes(offer.commit)) {
      await this.writes(device, { wanted, refused: REFUSED, problems: [REFUSED] });
    } else {
      device.runs = { role: offer.role, commit: offer.commit };
      await this.writes(device, { wanted });
    }
  }

  /** A device says something of itself that is not the outcome of an offer. */
  async says(device: SimulatedDevice, said: Partial<Status>): Promise<void> {
    await this.decisions.refresh();
    await this.writes(device, said);
  }

  /** What a check-in writes, as devices/ does: the status, and what Deployment Control makes of it. */
  private async writes(device: SimulatedDevice, said: Partial<Status>, online = true): Promise<void> {
    const running = device.runs === null ? null : { ...device.runs, digest: null };
    const status: Status = {
      schemaVersion: 1,
      device: device.name,
      agentVersion: '0.2.0',
      at: '2026-01-01T00:00:00Z',
      state: 'idle',
      health: running === null ? 'empty' : 'healthy',
      running,
      wanted: running,
      pending: null,
      refused: null,
      lastUpdate: null,
      lastConvergence: null,
      problems: [],
      services: [],
      sources: [],
      ...said,
    };
    const row = {
      seen_at: online ? new Date() : new Date(0),
      position: device.position,
      health: status.health,
      role: status.running?.role ?? null,
      commit: status.running?.commit ?? null,
      wanted_commit: status.wanted?.commit ?? null,
      update_state: status.state,
      problem_code: status.problems[0]?.code ?? null,
      problem: status.problems[0]?.what ?? null,
      status: JSON.stringify(status),
    };
    await this.db.transaction().execute(async (trx) => {
      await trx
        .insertInto('device_status')
        .values({
          device_id: device.id,
          connected_until: null,
          boot_id: null,
          agent_version: null,
          since: null,
          ...row,
        })
        .onConflict((conflict) => conflict.column('device_id').doUpdateSet(row))
        .execute();
      const facts = { ...device, role: 'web' };
      await observe(trx, this.decisions.current(), [{ device: facts, status }]);
    });
  }

  async goOffline(device: SimulatedDevice): Promise<void> {
    await this.db
      .updateTable('device_status')
      .set({ seen_at: new Date(0) })
      .where('device_id', '=', device.id)
      .execute();
  }

  async rollout(
    id: string,
  ): Promise<{ state: RolloutState; reason: string | null; opened: number; counts: readonly StageCounts[] }> {
    const row = await this.db
      .selectFrom('rollouts')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const counts = (await countEnded(this.db, [id])).get(id) ?? [];
    return { state: row.state, reason: row.reason, opened: row.progress.length, counts };
  }

  /** Commit of the role's baseline, and the counter of its statement. */
  async baseline(role = 'web'): Promise<{ commit: string; counter: number } | undefined> {
    await this.decisions.refresh();
    return this.decisions.current().roles.get(role)?.baseline ?? undefined;
  }

  /** Devices that have been signalled since the last time this was asked. */
  async woken(): Promise<readonly string[]> {
    const rows = await this.db.deleteFrom('signals').returning('device_id').execute();
    return rows.map((row) => this.devices.find(({ id }) => id === row.device_id)?.name ?? '').sort();
  }
}

export function commitOf(letter: string): string {
  return letter.repeat(40);
}
