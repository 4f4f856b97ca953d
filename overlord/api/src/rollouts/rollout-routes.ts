import type { RolloutSummary } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ONLINE } from '../devices/state-sql.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { Handler, HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import {
  finish,
  halt,
  openStage,
  pause,
  resume,
  type Change,
  type ChangePorts,
  type Deed,
} from './change-rollout.ts';
import { holdRollout } from './open-row.ts';
import { pass } from './planner.ts';
import { selectRollouts, showRollout, showRollouts } from './show-rollout.ts';
import { startRollout } from './start-rollout.ts';

interface Ports extends ChangePorts {
  readonly db: Kysely<Schema>;
}

type Act = 'promoteRollout' | 'pauseRollout' | 'resumeRollout' | 'haltRollout';
export type RolloutRoutes = 'listRollouts' | 'showRollout' | 'listRolloutDevices' | 'startRollout' | Act;

/** Rollouts as people see and change them. */
export function rolloutRoutes(ports: Ports): HandlersOf<RolloutRoutes> {
  const { db } = ports;
  return {
    listRollouts: async ({ query }) => {
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 2);
      // Microseconds count: JavaScript's dates would round two rollouts of one push to one moment.
      const rows = await selectRollouts(db)
        .select(sql<string>`rollouts.created_at::text`.as('created_key'))
        .$if(query.role !== undefined, (builder) => builder.where('rollouts.role', '=', String(query.role)))
        .$if(query.open !== undefined, (builder) =>
          builder.where('rollouts.state', query.open === true ? 'in' : 'not in', ['running', 'paused']),
        )
        .$if(after !== null, (builder) =>
          builder.where(
            sql<boolean>`(rollouts.created_at, rollouts.id) < (${after?.[0]}::timestamptz, ${after?.[1]}::uuid)`,
          ),
        )
        .orderBy('rollouts.created_at', 'desc')
        .orderBy('rollouts.id', 'desc')
        .limit(size + 1)
        .execute();
      const shown = new Map((await showRollouts(db, rows.slice(0, size))).map((one) => [one.id, one]));
      return toPage(rows, {
        size,
        keys: (row) => [row.created_key, row.id],
        item: ({ id }) => shown.get(id) as RolloutSummary,
      });
    },

    showRollout: ({ params }) => showRollout(db, params.id),

    listRolloutDevices: async ({ params: { id }, query }) => {
      await showRollout(db, id);
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 1)?.[0];
      const rows = await db
        .selectFrom('rollout_devices')
        .innerJoin('devices', 'devices.id', 'rollout_devices.device_id')
        .leftJoin('device_status', 'device_status.device_id', 'devices.id')
        .select(['devices.id', 'devices.name', 'devices.segment'])
        .select(['rollout_devices.stage', 'rollout_devices.state'])
        .select(['rollout_devices.at', 'rollout_devices.problem'])
        .select(ONLINE.as('online'))
        .where('rollout_devices.rollout_id', '=', id)
        .$if(query.state !== undefined, (builder) =>
          builder.where('rollout_devices.state', '=', query.state ?? 'pending'),
        )
        .$if(after !== undefined, (builder) => builder.where('devices.name', '>', String(after)))
        .orderBy('devices.name')
        .limit(size + 1)
        .execute();
      return toPage(rows, {
        size,
        keys: ({ name }) => [name],
        item: ({ id: device, at, ...row }) => ({ device, ...row, at: timeOf(at) }),
      });
    },

    startRollout: async ({ body, caller, address }) => {
      const id = await db.transaction().execute(async (trx) => {
        const release = await trx
          .selectFrom('releases')
          .select(['id', 'role', 'commit', 'state'])
          .where('id', '=', body.release)
          .executeTakeFirst();
        if (release === undefined)
          throw new ApiError('not-found', 'There is no such release', { field: '/release' });
        const name = `${release.role} ${release.commit.slice(0, 7)}`;
        if (release.state !== 'ready') {
          throw new ApiError('conflict', `The release ${name} was refused and cannot roll out`, {
            remedy: 'See its findings, correct them and push again.',
          });
        }
        const open = await trx
          .selectFrom('rollouts')
          .select('id')
          .where('release_id', '=', release.id)
          .where('state', 'in', ['running', 'paused'])
          .executeTakeFirst();
        if (open !== undefined) throw new ApiError('conflict', `The release ${name} is rolling out already`);
        const statementId = await ports.sign(trx, release.id);
        const { role } = release;
        const by = { by: caller.name, address, now: ports.now() };
        return startRollout(trx, { releaseId: release.id, role, statementId, ...by });
      });
      return showRollout(db, id);
    },

    ...actions(ports),
  };
}

/** What a person may do to a rollout: from which states, and what comes of it. */
const ACTS: Readonly<Record<Act, { readonly verb: string; readonly from: readonly string[] }>> = {
  promoteRollout: { verb: 'promote', from: ['running', 'paused'] },
  pauseRollout: { verb: 'pause', from: ['running'] },
  resumeRollout: { verb: 'resume', from: ['paused'] },
  haltRollout: { verb: 'halt', from: ['running', 'paused'] },
};

function actions(ports: Ports): HandlersOf<Act> {
  const act =
    (name: Act, perform: (change: Change, deed: Deed, why: string) => Promise<void>): Handler<Act> =>
    async ({ params: { id }, body, caller, address }) => {
      const { verb, from } = ACTS[name];
      const reason = body.reason?.trim() ?? '';
      const why = reason === '' ? `by ${caller.name}` : `by ${caller.name}: ${reason}`;
      await ports.db.transaction().execute(async (trx) => {
        const rollout = await holdRollout(trx, id);
        if (rollout === undefined) throw new ApiError('not-found', 'There is no such rollout');
        if (!from.includes(rollout.state)) {
          const able = from.join(' or ');
          throw new ApiError(
            'conflict',
            `This rollout is ${rollout.state}; to ${verb} it, it must be ${able}`,
          );
        }
        const deed = { actor: caller.name, action: `${verb} rollout`, address };
        await perform({ trx, ports, rollout }, reason === '' ? deed : { ...deed, detail: reason }, why);
      });
      return showRollout(ports.db, id);
    };
  return {
    promoteRollout: act('promoteRollout', promote),
    pauseRollout: act('pauseRollout', (change, deed, why) => pause(change, `Paused ${why}`, deed)),
    resumeRollout: act('resumeRollout', resume),
    haltRollout: act('haltRollout', (change, deed, why) => halt(change, `Halted ${why}`, deed)),
  };
}

/** To the next stage, gate or no gate: a person takes the responsibility, and the audit says who. */
async function promote(change: Change, deed: Deed): Promise<void> {
  const next = pass(change.rollout, change.rollout.progress.length - 1);
  return next.kind === 'open' ? openStage(change, next.stage, deed) : finish(change, deed);
}
