import { sql, type Kysely } from 'kysely';
import type { FastifyInstance } from 'fastify';
import type { Schema } from '../db/schema.ts';
import type { HandlersOf } from '../server/handler.ts';
import type { Metrics } from './metrics.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  readonly metrics: Metrics;
}

/** For load balancers, Prometheus and those who write clients. */
export function machineRoomRoutes({
  db,
  metrics,
}: Ports): HandlersOf<'healthz' | 'readyz' | 'metrics' | 'apiDescription'> {
  return {
    // Alive: the process answers. Nothing else: a database that is away is no reason to kill it.
    healthz: () => ({ ok: true }),

    readyz: async ({ reply }) => {
      const database = await sql`select 1`.execute(db).then(
        () => ({ name: 'database', ok: true }),
        () => ({ name: 'database', ok: false, detail: 'The database does not answer.' }),
      );
      if (!database.ok) void reply.code(503);
      return { ok: database.ok, checks: [database] };
    },

    metrics: async ({ reply }) => reply.type('text/plain; version=0.0.4').send(await metrics.render()),

    apiDescription: ({ request, reply }) => reply.type('application/json').send(describe(request.server)),
  };
}

function describe(app: FastifyInstance): string {
  return JSON.stringify(app.swagger());
}
