import type { ReleaseDetail, ReleaseSummary, Repository } from '@metrica-fleet/protocol/api';
import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { Finding } from '@metrica-fleet/protocol/lint';
import { recordAudit } from '../audit/record-audit.ts';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import { decodeCursor, pageSize, toPage } from '../server/cursor.ts';
import type { HandlersOf } from '../server/handler.ts';
import { timeOf, timeOrNull } from '../server/time.ts';
import type { Follower } from './follow.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  /** Null: no repo has been named. */
  readonly follower: Follower | null;
}

type Routes = 'showRepository' | 'fetchRepository' | 'listReleases' | 'showRelease';

/** Releases and the repo that they come from. */
export function releaseRoutes({ db, follower }: Ports): HandlersOf<Routes> {
  return {
    showRepository: () => repository(db),

    fetchRepository: async ({ caller, address }) => {
      if (follower === null) {
        throw new ApiError('conflict', 'This overlord follows no repo', {
          remedy: 'Start it with --repo URL.',
        });
      }
      await recordAudit(db, { actor: caller.name, action: 'fetch', subject: 'repository', address });
      await follower.look();
      return repository(db);
    },

    listReleases: async ({ query }) => {
      const size = pageSize(query.limit);
      const after = decodeCursor(query.cursor, 2);
      const rows = await summaries(db)
        .$if(query.role !== undefined, (builder) => builder.where('releases.role', '=', String(query.role)))
        .$if(after !== null, (builder) =>
          builder.where(
            sql<boolean>`(releases.created_at, releases.id) < (${after?.[0]}, ${after?.[1]}::uuid)`,
          ),
        )
        .orderBy('releases.created_at', 'desc')
        .orderBy('releases.id', 'desc')
        .limit(size + 1)
        .execute();
      return toPage(rows, { size, keys: ({ created_key, id }) => [created_key, id], item: show });
    },

    showRelease: async ({ params }) => {
      const row = await summaries(db)
        .select(['releases.message', 'releases.files', 'releases.bundle_bytes'])
        .where('releases.id', '=', params.id)
        .executeTakeFirst();
      if (row === undefined) throw new ApiError('not-found', 'There is no such release');
      const detail: ReleaseDetail = {
        ...show(row),
        message: row.message,
        bundleBytes: row.bundle_bytes === null ? null : Number(row.bundle_bytes),
        files: [...row.files],
        findings: row.findings.map(showFinding(row.role)),
      };
      return detail;
    },
  };
}

/** Microseconds count in a cursor: JavaScript's dates would round two releases of one push to one moment. */
function summaries(db: Kysely<Schema>): SelectQueryBuilder<Schema, 'releases', SummaryRow> {
  return db
    .selectFrom('releases')
    .select(['releases.id', 'releases.role', 'releases.commit', 'releases.digest', 'releases.state'])
    .select(['releases.subject', 'releases.author', 'releases.committed_at', 'releases.created_at'])
    .select('releases.findings')
    .select(sql<string>`releases.created_at::text`.as('created_key'))
    .select((eb) =>
      eb
        .selectFrom('device_status')
        .select(sql<number>`count(*)::int`.as('count'))
        .whereRef('device_status.role', '=', 'releases.role')
        .whereRef('device_status.commit', '=', 'releases.commit')
        .as('devices'),
    );
}

interface SummaryRow {
  readonly id: string;
  readonly role: string;
  readonly commit: string;
  readonly digest: string | null;
  readonly state: 'ready' | 'refused';
  readonly subject: string;
  readonly author: string;
  readonly committed_at: Date;
  readonly created_at: Date;
  readonly created_key: string;
  readonly findings: readonly Finding[];
  readonly devices: number | null;
}

function show(row: SummaryRow): ReleaseSummary {
  return {
    id: row.id,
    role: row.role,
    commit: row.commit,
    digest: row.digest,
    state: row.state,
    subject: row.subject,
    author: row.author,
    committedAt: timeOf(row.committed_at),
    createdAt: timeOf(row.created_at),
    errors: row.findings.filter(({ severity }) => severity === 'error').length,
    warnings: row.findings.filter(({ severity }) => severity === 'warning').length,
    devices: row.devices ?? 0,
  };
}

function showFinding(role: string) {
  return ({ rule, severity, file, line, what, remedy }: Finding): ReleaseDetail['findings'][number] => ({
    rule,
    severity,
    where: `roles/${role}/${file}${line === null ? '' : `:${line}`}`,
    what,
    remedy,
  });
}

async function repository(db: Kysely<Schema>): Promise<Repository> {
  const row = await db.selectFrom('repository').selectAll().executeTakeFirst();
  const roles = await db.selectFrom('releases').select('role').distinct().orderBy('role').execute();
  return {
    url: row?.url ?? null,
    branch: row?.branch ?? 'main',
    head: row?.head ?? null,
    fetchedAt: timeOrNull(row?.fetched_at ?? null),
    problem: row?.problem ?? null,
    roles: roles.map(({ role }) => role),
  };
}
