import type { Report } from '@metrica-fleet/protocol/api';
import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fleetRepo, type FleetRepo } from '../fleet-repo.ts';
import { JoinedDevice } from './joined-device.ts';
import { buildOverlord, RunningOverlord } from './running-overlord.ts';

let overlord: RunningOverlord;
let repo: FleetRepo;
let admin: Readonly<Record<string, string>>;

beforeAll(async () => {
  await buildOverlord();
  repo = await fleetRepo();
  await repo.push({}, 'Say hello');
  overlord = await RunningOverlord.start('--repo', repo.url, '--repo-interval', '1');
  admin = await overlord.firstAdmin();
}, 120_000);
afterAll(async () => {
  await overlord.remove();
  await repo.remove();
}, 60_000);

const DEVICES = 20;
const ROUNDS = 3;

const postmaster = async (): Promise<number> =>
  Number((await readFile(join(overlord.data, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0]);

/** By itself: nobody helps. */
async function isReady(): Promise<void> {
  for (;;) {
    const answer = await overlord.call('readyz').catch(() => null);
    if (answer?.status === 200) return;
    await sleep(50);
  }
}

/** Who is killed. A server that others run (DATABASE_URL) is theirs to bring back. */
const KILLS: Readonly<Record<string, () => Promise<void>>> = {
  async overlord() {
    await overlord.end('SIGKILL');
    await overlord.resume();
  },
  ...(RunningOverlord.usesOwnDatabase && {
    async database() {
      process.kill(await postmaster(), 'SIGKILL');
    },
    async both() {
      process.kill(await postmaster(), 'SIGKILL');
      await overlord.end('SIGKILL');
      await overlord.resume();
    },
  }),
};

/** A device as the agent is one: each report stays in its outbox until it is acknowledged, and is sent again until then. */
class Reporter {
  readonly acknowledged: string[] = [];
  private readonly device: JoinedDevice;
  private readonly outbox: Report[] = [];
  private made = 0;

  constructor(device: JoinedDevice) {
    this.device = device;
  }

  get id(): string {
    return this.device.id;
  }

  async reportUntil(over: () => boolean): Promise<void> {
    while (!over() || this.outbox.length > 0) {
      if (this.outbox.length === 0 && !over()) this.outbox.push(this.next());
      // No connection, or a refusal while the database is away: the same again, as the agent does by its interval.
      const answer = await this.device.checkIn({ reports: this.outbox }).catch(() => null);
      if (answer?.status !== 200) await sleep(20);
      for (const id of answer?.body?.acknowledged ?? []) this.forget(id);
    }
  }

  private next(): Report {
    this.made += 1;
    return {
      id: randomUUID(),
      at: '2026-01-01T00:00:00Z',
      kind: 'repaired',
      detail: `number ${this.made} of ${this.id}`,
    };
  }

  private forget(id: string): void {
    const place = this.outbox.findIndex((report) => report.id === id);
    const [report] = place === -1 ? [] : this.outbox.splice(place, 1);
    if (report?.detail !== undefined) this.acknowledged.push(report.detail);
  }
}

/** What the overlord has on record of a device's reports, by the numbers in them. */
async function recorded(id: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ''; ;) {
    const path = `/api/v1/devices/${id}/events?limit=200${cursor}`;
    const { body } = await overlord.send('GET', path, { headers: admin });
    for (const { text } of body.items) found.push(...(/number \d+ of [\w-]+/.exec(text) ?? []));
    if (body.next === null) return found;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
}

it.each(Object.keys(KILLS))(
  'kill -9 of the %s under check-ins loses nothing that was acknowledged, and doubles nothing',
  async (victim) => {
    const reporters: Reporter[] = [];
    for (let count = 0; count < DEVICES; count += 1)
      reporters.push(new Reporter(await JoinedDevice.join(overlord, admin)));
    let over = false;
    const reporting = reporters.map((reporter) => reporter.reportUntil(() => over));
    for (let round = 0; round < ROUNDS; round += 1) {
      await sleep(randomInt(50, 600));
      await KILLS[victim]?.();
      await isReady();
    }
    const before = reporters.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    await sleep(300);
    over = true;
    await Promise.all(reporting);
    const after = reporters.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    // Check-ins went on by themselves after the last kill: else the count below would prove little.
    expect(after).toBeGreaterThan(before);
    for (const { id, acknowledged } of reporters) {
      expect((await recorded(id)).sort()).toEqual(acknowledged.sort());
    }
  },
  120_000,
);
