import { FleetRepo } from '../virtual-pi/fleet-repo.ts';
import { cpuOf, cpuWithChildren } from './check-in/cpu.ts';
import { joinDevices } from './check-in/devices.ts';
import { load, quantile, type Requests, type Way } from './check-in/load.ts';
import { startBare, startOverlord, type Running } from './check-in/overlord.ts';
import { bytesOnTheWire } from './check-in/wire.ts';
import { bench } from './support/bench.ts';
import { role } from './support/stack.ts';

const ROUNDS = 5;
const DEVICES = 5_000;
/** Milliseconds of each measurement that count, and those before. */
const TIME = { time: 4_000, warm: 1_000 };
/** Connections at a time, where as much is asked as is answered. */
const CONNECTIONS: Readonly<Record<Way, number>> = { kept: 256, resumed: 64, full: 64 };
/** Check-ins per second of the paced ones, where times of answers are measured: well below what either can. */
const PACE = 500;

const PEER = 'bare prototype';
const WAYS = ['kept', 'resumed', 'full'] as const satisfies readonly Way[];
type Kind = Way | 'paced';
const KINDS = [...WAYS, 'paced'] as const;
const NAMES: Readonly<Record<Kind, string>> = {
  kept: 'kept_alive',
  resumed: 'new_tls_resumed',
  full: 'new_tls',
  paced: 'paced',
};

/** What one server did in a few seconds. */
interface Stretch {
  readonly perSecond: number;
  /** Microseconds of CPU a check-in. */
  readonly server: number;
  readonly database: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Check-ins of devices that have nothing new, each with its token, by the overlord and by a bare prototype on the same
 * PostgreSQL, in turn. `FLEET_BENCH_PROFILE=<folder>` has both write a CPU profile there.
 */
await bench(async (figures, progress) => {
  progress(`An overlord and the ${PEER}`);
  const repo = await FleetRepo.create('127.0.0.1');
  await repo.push('First', {
    ...role({ ports: { page: 8080, steady: 8081 }, word: 'one', checked: true }),
    'fleet.yaml': 'rollout:\n  stages:\n    - {segment: canary, soak: 1s}\n',
  });
  const profile = process.env['FLEET_BENCH_PROFILE'] ?? null;
  const overlord = await startOverlord(repo.url, profile);
  const stops = [() => overlord.stop(), () => repo.close()];
  try {
    progress(`${DEVICES} devices`);
    const requests = await joinDevices(overlord, { role: 'pages', count: DEVICES });
    const bare = await startBare(overlord, profile);
    stops.unshift(() => bare.stop());
    const measured = { kept: [], resumed: [], full: [], paced: [] } as Record<Kind, Pair[]>;
    for (let count = 1; count <= ROUNDS; count += 1) {
      for (const kind of KINDS) {
        const stretch = (server: Running): Promise<Stretch> =>
          measure(server, { requests, kind, postgres: overlord.database.pid });
        const pair = { ours: await stretch(overlord), theirs: await stretch(bare) };
        progress(`${kind}: overlord ${say(pair.ours)}; prototype ${say(pair.theirs)}`);
        measured[kind].push(pair);
      }
    }
    const beside = (name: string, unit: string, [kind, of]: readonly [Kind, keyof Stretch]): void =>
      figures.beside(name, unit, {
        ours: measured[kind].map(({ ours }) => ours[of]),
        peer: PEER,
        theirs: measured[kind].map(({ theirs }) => theirs[of]),
      });
    for (const way of WAYS) beside(`${NAMES[way]}_checkins_per_s`, '/s', [way, 'perSecond']);
    for (const kind of KINDS) {
      beside(`${NAMES[kind]}_server_cpu_us`, 'µs', [kind, 'server']);
      beside(`${NAMES[kind]}_database_cpu_us`, 'µs', [kind, 'database']);
    }
    beside('paced_checkin_p50_ms', 'ms', ['paced', 'p50']);
    beside('paced_checkin_p99_ms', 'ms', ['paced', 'p99']);
    const wire = await bytesOnTheWire(overlord.target, requests);
    const bareWire = await bytesOnTheWire(bare.target, requests);
    for (const way of WAYS) {
      const series = { ours: [wire[way]], peer: PEER, theirs: [bareWire[way]] };
      figures.beside(`${NAMES[way]}_checkin_bytes`, 'bytes', series);
    }
  } finally {
    for (const stop of stops) await stop();
  }
});

interface Pair {
  readonly ours: Stretch;
  readonly theirs: Stretch;
}

interface Measuring {
  readonly requests: Requests;
  readonly kind: Kind;
  /** The process of the database. */
  readonly postgres: number;
}

async function measure({ target, pid }: Running, { requests, kind, postgres }: Measuring): Promise<Stretch> {
  const way = kind === 'paced' ? 'kept' : kind;
  const cpu = (): { server: number; database: number } => ({
    server: cpuOf(pid),
    database: cpuWithChildren(postgres),
  });
  let before = cpu();
  const { count, perSecond, latencies } = await load(target, requests, {
    ...TIME,
    way,
    connections: CONNECTIONS[way],
    pace: kind === 'paced' ? PACE : null,
    begin: () => void (before = cpu()),
  });
  const after = cpu();
  return {
    perSecond,
    server: ((after.server - before.server) * 1_000) / count,
    database: ((after.database - before.database) * 1_000) / count,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

function say({ perSecond, server, database, p50, p99 }: Stretch): string {
  const cpu = `CPU ${Math.round(server)} + ${Math.round(database)} µs`;
  return `${Math.round(perSecond)}/s, ${cpu}, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}
