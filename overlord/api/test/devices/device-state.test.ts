import { deviceStateOf, DEVICE_STATES, type DeviceSummary } from '@metrica-fleet/protocol/api';
import { HEALTH, type Health } from '@metrica-fleet/protocol';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from './fake-device.ts';
import { startFleet, type Fleet } from './fleet.ts';

let fleet: Fleet;
let cases: readonly Case[];

interface Case {
  readonly name: string;
  readonly conflict: boolean;
  readonly held: boolean;
  /** Null: it has no status; undefined: nothing was ever heard of it. */
  readonly health: Health | null | undefined;
  /** Seconds until its stream of signals may be taken for closed; null for none. */
  readonly connected: number | null;
  /** Intervals since it was seen. */
  readonly age: number;
}

const INTERVAL = 1_000;

/** Every combination of what the state depends on. */
function* combinations(): Generator<Case> {
  let number = 0;
  for (const conflict of [false, true]) {
    for (const held of [false, true]) {
      for (const health of [...HEALTH, null, undefined]) {
        for (const connected of [null, -60, 60]) {
          for (const age of [0, 2.4, 2.6]) {
            number += 1;
            yield { name: `pi-${String(number).padStart(4, '0')}`, conflict, held, health, connected, age };
          }
        }
      }
    }
  }
}

const isOnline = ({ health, connected, age }: Case): boolean =>
  health !== undefined && (age < 2.5 || (connected ?? 0) > 0);

const expectedOf = (one: Case) =>
  deviceStateOf({
    online: isOnline(one),
    conflict: one.conflict,
    held: one.held,
    status: one.health === null || one.health === undefined ? null : { health: one.health },
  });

beforeAll(async () => {
  fleet = await startFleet();
  cases = [...combinations()];
  const rows = cases.map((one) => ({ one, id: randomUUID() }));
  const { db } = fleet.database;
  await db
    .insertInto('devices')
    .values(
      rows.map(({ id, one: { name, conflict, held } }) => ({
        ...{
          id,
          name,
          conflict,
          updates_off: held,
          membership: 'active' as const,
          segment: 'general' as const,
        },
        ...{ role: null, site: null, public_key: null, serial: null, token_id: null, enrolled_by: 'ada' },
        evidence: '{}',
      })),
    )
    .execute();
  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1_000);
  const heard = rows.flatMap(({ id, one: { health, connected, age } }) =>
    health === undefined
      ? []
      : [
          {
            device_id: id,
            seen_at: ago(age * INTERVAL),
            connected_until: connected === null ? null : ago(-connected),
            check_in_interval: INTERVAL,
            health,
            status: health === null ? null : JSON.stringify(statusOf({ health })),
          },
        ],
  );
  await db.insertInto('device_status').values(heard).execute();
});
afterAll(() => fleet.close());

async function listAll(query: Readonly<Record<string, string>> = {}): Promise<readonly DeviceSummary[]> {
  const items: DeviceSummary[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Readonly<Record<string, string>> = cursor === '' ? {} : { cursor };
    const { body } = await fleet.call('listDevices', { query: { ...query, ...page, limit: '100' } });
    items.push(...body.items);
    cursor = body.next;
  }
  return items;
}

it('is the same by SQL as by the rule of the protocol, for every combination', async () => {
  const states = new Map((await listAll()).map(({ name, state }) => [name, state]));
  expect(cases.filter((one) => states.get(one.name) !== expectedOf(one))).toEqual([]);
  expect(states.size).toBe(cases.length);
  expect(new Set(states.values())).toEqual(new Set(DEVICE_STATES));
});

it('filters lists by exactly the state that it shows', async () => {
  for (const state of DEVICE_STATES) {
    const names = (await listAll({ state })).map(({ name }) => name);
    expect(names).toEqual(cases.filter((one) => expectedOf(one) === state).map(({ name }) => name));
  }
});

it('is what the map shows', async () => {
  const { body } = await fleet.call('deviceMap');
  const shown = (body.devices as [string, string, string][]).map(([, name, state]) => ({ name, state }));
  expect(shown).toEqual(cases.map((one) => ({ name: one.name, state: expectedOf(one) })));
});
