import type { Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import type { ArtifactStore } from './store.ts';

interface Ports {
  readonly db: Kysely<Schema>;
  readonly artifacts: ArtifactStore;
}

/** A year: the name is the digest of the content, so it never changes (RFC 8246). */
const FOREVER = 'private, max-age=31536000, immutable';

/** Bundles for devices: immutable, resumable, and only those of a device's own role. */
export function artifactRoutes({ db, artifacts }: Ports): HandlersOf<'artifact'> {
  return {
    artifact: async ({ params: { digest }, caller, request, reply }) => {
      const size = (await mayFetch(db, caller.id, digest)) ? await artifacts.size(digest) : null;
      if (size === null) throw new ApiError('not-found', `There is no release ${digest} for this device`);
      const etag = `"${digest}"`;
      void reply.headers({ etag, 'cache-control': FOREVER, 'accept-ranges': 'bytes' });
      if (request.headers['if-none-match']?.includes(etag) === true) return reply.code(304).send();
      // If-Range with another tag asks for the whole of what is there now (RFC 9110, 13.1.5).
      const rangeHolds = (request.headers['if-range'] ?? etag) === etag;
      const range = rangeHolds ? rangeOf(request.headers.range, size) : null;
      void reply.type('application/gzip');
      if (range === null) {
        return reply.header('content-length', size).send(artifacts.read(digest, { start: 0, end: size - 1 }));
      }
      const { start, end } = range;
      return reply
        .code(206)
        .headers({ 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': end - start + 1 })
        .send(artifacts.read(digest, range));
    },
  };
}

async function mayFetch(db: Kysely<Schema>, device: string, digest: string): Promise<boolean> {
  const row = await db
    .selectFrom('releases')
    .select('releases.id')
    .where('releases.role', '=', (eb) =>
      eb
        .selectFrom('devices')
        .leftJoin('variable_files', (join) =>
          join.onRef('variable_files.name', '=', 'devices.name').on('variable_files.kind', '=', 'device'),
        )
        .select((of) => of.fn.coalesce('devices.role', 'variable_files.role').as('role'))
        .where('devices.id', '=', device),
    )
    .where('releases.digest', '=', digest)
    .where('releases.state', '=', 'ready')
    .executeTakeFirst();
  return row !== undefined;
}

/** One range, as a resumed download asks for; several at once may be answered with the whole (RFC 9110, 14.2). */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start <= end && start < size) return { start, end };
  throw new ApiError('range-not-satisfiable', `The bundle has ${size} bytes`);
}
