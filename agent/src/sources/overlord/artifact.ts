import { contentDigest, FleetError, problemOf, RELEASE_LIMITS, unpackBundle } from '@metrica-fleet/protocol';
import { ROUTES } from '@metrica-fleet/protocol/api';
import { join } from 'node:path';
import type { Line } from '../../checkin/check-in.ts';
import { withToken } from '../../checkin/token.ts';
import type { HttpReply } from '../../ports/http.ts';
import type { Desired, Fetched } from '../source.ts';
import { requireSpace } from '../space.ts';
import type { OverlordContext } from './overlord.ts';
import { verifyDesired } from './verify-desired.ts';

/** Milliseconds for one download in one run, below the run's own limit; the next run goes on where this one ended. */
const DEADLINE = 8 * 60_000;
/** Milliseconds without a byte. */
const STALL = 60_000;
/** A bundle is smaller than what is in it, but for what does not compress. Bytes. */
const BUNDLE_LIMIT = RELEASE_LIMITS.bytes + 16 * 1024 * 1024;

export interface Wish {
  readonly line: Line;
  readonly wanted: Desired;
  /** Empty folder for the files. */
  readonly folder: string;
}

/**
 * Downloads the bundle of a release, going on where an earlier try was cut, and unpacks it: after its statement has
 * been verified, and only if its manifest has the digest that the statement is about.
 */
export async function fetchArtifact(context: OverlordContext, wish: Wish): Promise<Fetched> {
  const { wanted, folder } = wish;
  const { digest, statement } = wanted;
  if (digest === null || statement === undefined) return { statement: null };
  const { role, commit } = wanted;
  await verifyDesired(context, {
    role,
    commit,
    digest,
    statement: statement.text,
    signature: statement.signature,
  });
  const { disk } = context.ports;
  const part = join(context.paths.downloads, `${digest}.part`);
  await forgetOthers(context, part);
  const { resumed } = await download(context, wish, { part, digest });
  try {
    await unpack(context, wish, part);
  } catch (thrown) {
    // What an earlier run left may have been torn by a power cut: that is not the release's fault. Once more, from the start.
    if (!resumed || problemOf(thrown).code === 'no-space') throw thrown;
    await disk.remove('download.torn', part);
    await disk.remove('download.torn-files', folder);
    await disk.makeFolder('download.again', folder);
    await download(context, wish, { part, digest });
    await unpack(context, wish, part);
  }
  await disk.remove('download.done', part);
  return { statement };
}

interface Download {
  readonly part: string;
  readonly digest: string;
}

async function download(
  { ports, paths }: OverlordContext,
  { line }: Wish,
  { part, digest }: Download,
): Promise<{ readonly resumed: boolean }> {
  const { disk } = ports;
  const have = (await disk.stat(part))?.size ?? 0;
  const url = `${line.remote.url}${ROUTES.artifact.path.replace(':digest', digest)}`;
  const credentials = { ...line, http: ports.http, disk, file: paths.run.token };
  const reply = await withToken(credentials, async (token) => {
    const range = have === 0 ? {} : { range: `bytes=${have}-`, 'if-range': `"${digest}"` };
    const headers = { authorization: `Bearer ${token}`, ...range };
    const answer = await ports.http.send({
      method: 'GET',
      url,
      ca: line.remote.ca,
      headers,
      deadline: DEADLINE,
      stall: STALL,
    });
    if (answer.status === 200 || answer.status === 206) return { kind: 'answer', value: answer } as const;
    for await (const _ of answer.body) break;
    // 416: we have all of it already, or something else; unpacking tells.
    if (answer.status === 416 && have > 0) return { kind: 'answer', value: null } as const;
    return { kind: 'refused', status: answer.status, code: '', problem: refused(answer, url) } as const;
  });
  if (reply === null) return { resumed: true };
  const resumed = reply.status === 206 && have > 0;
  if (resumed) requireContinued(reply, { have, url });
  const size = (resumed ? have : 0) + Number(reply.headers['content-length'] ?? 0);
  if (size > BUNDLE_LIMIT) throw tooLarge(url);
  await disk.makeFolder('download.folder', paths.downloads, 0o700);
  await requireSpace(disk, paths.downloads, { bytes: size, files: 1 });
  const content = bounded(reply.body, BUNDLE_LIMIT - (resumed ? have : 0), url);
  await disk.write('download.bytes', part, { content, append: resumed });
  return { resumed };
}

async function unpack({ ports }: OverlordContext, wish: Wish, part: string): Promise<void> {
  const { wanted, folder } = wish;
  const { disk } = ports;
  await unpackBundle({
    from: disk.stream(part),
    where: part,
    async onManifest(manifest) {
      if (contentDigest(manifest) !== wanted.digest || manifest.role !== wanted.role) {
        throw new FleetError({
          code: 'manifest-mismatch',
          what: 'The bundle is not the one that its statement is about',
          where: wanted.source,
          remedy: 'The store of the overlord is damaged or was tampered with; push the role again.',
        });
      }
      const bytes = manifest.entries.reduce((sum, entry) => sum + ('size' in entry ? entry.size : 0), 0);
      await requireSpace(disk, folder, { bytes, files: manifest.entries.length });
    },
    onFile: ({ path, mode }, content) =>
      disk.write('stage.artifact.file', join(folder, path), { content, mode: Number.parseInt(mode, 8) }),
    onLink: (path, target) => disk.link('stage.artifact.link', join(folder, path), target),
  });
}

/** One download at a time: what is no longer wanted would fill the card. */
async function forgetOthers({ ports, paths }: OverlordContext, part: string): Promise<void> {
  for (const name of (await ports.disk.list(paths.downloads)) ?? []) {
    const path = join(paths.downloads, name);
    if (path !== part) await ports.disk.remove('download.former', path);
  }
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  url: string,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > limit) throw tooLarge(url);
    yield chunk;
  }
}

function requireContinued({ headers }: HttpReply, { have, url }: { have: number; url: string }): void {
  if (headers['content-range']?.startsWith(`bytes ${have}-`) === true) return;
  throw new FleetError({
    code: 'source-unreachable',
    what: `The download was to go on at byte ${have}, and did elsewhere: ${headers['content-range'] ?? 'no Content-Range'}`,
    where: url,
  });
}

function refused({ status }: HttpReply, url: string): FleetError['problem'] {
  const gone = status === 404;
  return {
    code: status >= 500 || status === 429 || gone ? 'source-unreachable' : 'source-denied',
    what: gone
      ? 'The overlord does not offer this release to this device any more'
      : `It answered HTTP ${status}`,
    where: url,
    ...(gone ? { remedy: 'The next check-in says what is wanted now.' } : {}),
  };
}

function tooLarge(where: string): FleetError {
  return new FleetError({
    code: 'bundle-too-large',
    what: `The bundle is larger than ${BUNDLE_LIMIT / 1024 / 1024} MiB`,
    where,
  });
}
