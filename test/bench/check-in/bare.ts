import { MESSAGES, ROUTES, type CheckIn } from '@metrica-fleet/protocol/api';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify from 'fastify';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

/** As many check-ins in one statement, and statements at a time, as the overlord has. */
const GROUP = 500;
const LANES = 2;

/** The overlord's own, for a device with nothing new; the table is a copy. */
const STATEMENT = `
  update bare.device_status as old set
    seen_at = new.at,
    former_boot_id = case when old.boot_id = new.boot then old.former_boot_id else old.boot_id end,
    boot_id = new.boot,
    position = new.position
  from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) as new (id, at, boot, position)
  where old.device_id = new.id`;

interface Waiting {
  readonly body: CheckIn;
  readonly at: Date;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const [url = '', key = '', certificate = ''] = process.argv.slice(2);
// In order, so that a profile is written.
process.on('SIGTERM', () => process.exit());
await serve();

/**
 * The bare prototype: the framework, the schemas and the statement of a check-in, many in one statement, and nothing
 * else. It believes whoever calls: a device's boot id is taken for its name. Prints its port.
 */
async function serve(): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: LANES });
  const waiting: Waiting[] = [];
  let busy = 0;
  const drain = async (): Promise<void> => {
    if (busy >= LANES) return;
    busy += 1;
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await write(pool, waiting.splice(0, GROUP));
    busy -= 1;
  };

  const app = fastify({ https: { key: readFileSync(key), cert: readFileSync(certificate) } });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  const { body, reply } = MESSAGES.checkIn;
  app.post<{ Body: CheckIn }>(
    ROUTES.checkIn.path,
    { schema: { body, response: { 200: reply } } },
    async (request) => {
      const at = new Date();
      await new Promise<void>((resolve, reject) => {
        waiting.push({ body: request.body, at, resolve, reject });
        void drain();
      });
      return { time: `${at.toISOString().slice(0, 19)}Z` };
    },
  );
  await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  const { port } = app.server.address() as AddressInfo;
  process.stdout.write(`${port}\n`);
}

async function write(pool: pg.Pool, group: readonly Waiting[]): Promise<void> {
  const values = [
    group.map(({ body }) => body.bootId),
    group.map(({ at }) => at),
    group.map(({ body }) => body.bootId),
    group.map(({ body }) => body.position),
  ];
  try {
    await pool.query({ name: 'check-in', text: STATEMENT, values });
    for (const { resolve } of group) resolve();
  } catch (thrown) {
    for (const { reject } of group) reject(thrown);
  }
}
