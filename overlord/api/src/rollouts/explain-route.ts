import { describeProblem, type Status } from '@metrica-fleet/protocol';
import type { Explanation } from '@metrica-fleet/protocol/api';
import { sql, type Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ONLINE } from '../devices/state-sql.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf } from '../server/time.ts';
import { decide, type Decision } from './decision.ts';
import type { Snapshot } from './snapshot.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  /** What check-ins are answered from now. */
  readonly snapshot: () => Snapshot;
}

type Rule = Explanation['rules'][number];

/** Why a device gets what it gets: the rules of the decision itself, and what else stands in the way on the device. */
export function explainRoutes({ db, snapshot }: Ports): HandlersOf<'explainDevice'> {
  return {
    explainDevice: async ({ params: { id } }) => {
      const row = await db
        .selectFrom('devices')
        .leftJoin('device_status', 'device_status.device_id', 'devices.id')
        .select(['devices.id', 'devices.name', 'devices.membership', 'devices.role', 'devices.site'])
        .select(['devices.segment', 'devices.updates_off as updatesOff', 'devices.conflict'])
        .select(['device_status.position', 'device_status.seen_at', 'device_status.status'])
        .select(['device_status.commit'])
        .select(sql<boolean>`${ONLINE}`.as('online'))
        .where('devices.id', '=', id)
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('not-found', 'There is no such device');
      const decision = decide(row, snapshot());
      const { offer, rollout, rules } = decision;
      return {
        device: id,
        desired: offer === null ? null : { role: offer.role, commit: offer.commit, rollout },
        rules: [...rules, ...notesOf(row, decision)],
      };
    },
  };
}

interface Facts {
  readonly conflict: boolean;
  readonly online: boolean;
  readonly seen_at: Date | null;
  readonly commit: string | null;
  readonly status: Status | null;
}

/** What the decision does not depend on, and whoever asks wants to know. */
function notesOf({ conflict, online, seen_at, commit, status }: Facts, { offer }: Decision): Rule[] {
  const notes: Rule[] = [];
  const note = (rule: string, text: string): void => void notes.push({ rule, verdict: 'notes', text });
  if (conflict) note('conflict', 'Two boards show the same key, or one board two keys.');
  if (seen_at === null) note('offline', 'It has not checked in yet.');
  else if (!online)
    note('offline', `It is offline; last heard of ${timeOf(seen_at)}. It gets this when it returns.`);
  const wanted = offer?.commit ?? null;
  if (status === null || wanted === null) return notes;
  if (commit === wanted) note('running', `It runs ${wanted.slice(0, 7)}.`);
  const { refused = null, pending } = status;
  if (refused !== null && status.wanted?.commit === wanted) {
    note('quarantine', `It has refused ${wanted.slice(0, 7)}: ${describeProblem(refused)}`);
  } else if (pending !== null) note('device', `It says: ${pending}.`);
  return notes;
}
