import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { FastifyInstance } from 'fastify';
import { DEVICE_STATES } from '@metrica-fleet/protocol/api';
import type { Schema } from '../db/schema.ts';
import { joinedDevices } from '../devices/device-rows.ts';
import { STATE } from '../devices/state-sql.ts';

/** What Prometheus reads. */
export interface Metrics {
  /** Times every request of the server, by route and not by path: a path has ids. */
  watch(app: FastifyInstance): void;
  /** Text in Prometheus' format. */
  render(): Promise<string>;
}

/** The figures of the fleet and of this process. */
export function buildMetrics(db: Kysely<Schema>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'fleet_http_request_duration_seconds',
    help: 'Time to answer a request, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const devices = new Gauge({
    name: 'fleet_devices',
    help: 'Active devices by state and role.',
    labelNames: ['state', 'role'],
    registers: [registry],
  });
  const rollouts = new Gauge({
    name: 'fleet_rollouts_open',
    help: 'Rollouts that are running or paused.',
    labelNames: ['role', 'state'],
    registers: [registry],
  });
  return {
    watch(app) {
      app.addHook('onResponse', async (request, reply) => {
        const route = request.routeOptions.url ?? 'none';
        const labels = { method: request.method, route, status: String(reply.statusCode) };
        requests.observe(labels, reply.elapsedTime / 1000);
      });
    },
    async render() {
      const counted = await joinedDevices(db)
        .select([STATE.as('state'), 'devices.role', sql<number>`count(*)::int`.as('count')])
        .where('devices.membership', '=', 'active')
        .groupBy([STATE, 'devices.role'])
        .execute();
      devices.reset();
      for (const role of new Set(counted.map((row) => row.role ?? ''))) {
        for (const state of DEVICE_STATES) devices.set({ state, role }, 0);
      }
      for (const { state, role, count } of counted) devices.set({ state, role: role ?? '' }, count);
      const open = await db
        .selectFrom('rollouts')
        .select(['role', 'state'])
        .where('state', 'in', ['running', 'paused'])
        .execute();
      rollouts.reset();
      for (const { role, state } of open) rollouts.set({ role, state }, 1);
      return registry.metrics();
    },
  };
}
