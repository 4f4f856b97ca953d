import { FleetError, type Status } from '@metrica-fleet/protocol';
import type { CheckInReply } from '@metrica-fleet/protocol/api';
import { checkIn, type Line } from '../../checkin/check-in.ts';
import { readContact, statusDigest } from '../../checkin/contact.ts';
import { readIdentity } from '../../checkin/identity.ts';
import type { Config, OverlordConfig } from '../../config.ts';
import { listOutbox } from '../../report/outbox.ts';
import { readStatus } from '../../report/read-status.ts';
import { configLayer } from '../git/fleet-files.ts';
import type { Asking, Desired, Source } from '../source.ts';
import type { SourceContext } from '../sources.ts';
import { fetchArtifact } from './artifact.ts';
import { mayStayQuiet, type Beat } from './quiet.ts';
import { verifyDesired } from './verify-desired.ts';

/** What the steps of the overlord source work with. */
export interface OverlordContext extends SourceContext {
  readonly overlord: OverlordConfig;
  readonly config: Config;
  readonly name: string;
}

/**
 * An overlord: one check-in carries status and reports up, and brings what is wanted. What it wants counts only with
 * the signature of an allowed signer. Built anew for each run: it remembers whether the overlord has answered in this one.
 */
export function overlordSource(overlord: OverlordConfig, config: Config, context: SourceContext): Source {
  const name = `overlord ${overlord.url}`;
  const all: OverlordContext = { ...context, overlord, config, name };
  let asked: 'no' | 'quiet' | 'answered' | 'silent' = 'no';
  return {
    name,
    needsStatement: true,
    carrier: false,
    async desired(last, asking) {
      asked = 'silent';
      const own = last?.source === name ? last : null;
      const line = await lineOf(all);
      if (!(await isDue(all, asking))) {
        asked = 'quiet';
        return last ?? asking.standing ?? null;
      }
      const status = await readStatus(context.ports.disk, context.paths);
      const { reply } = await checkIn(line, { position: own?.position ?? null, status });
      asked = 'answered';
      return await desiredOf(all, reply, own);
    },
    fetch: async (wanted, folder) => await fetchArtifact(all, { line: await lineOf(all), wanted, folder }),
    async tell(status, last) {
      if (asked === 'silent') return;
      const due = asked === 'no' ? await isDue(all, { eager: false }) : await hasNews(all, status);
      if (due) await tell(all, status, asked === 'no' ? null : last);
    },
  };
}

/** The results of a run, at once. What comes down with the answer is for the next run, which is started. */
async function tell(context: OverlordContext, status: Status, last: Desired | null): Promise<void> {
  const { ports, paths, name } = context;
  const position = last?.source === name ? last.position : null;
  const { reply, orders } = await checkIn(await lineOf(context), { position, status });
  const news = position !== null && reply.desired !== undefined;
  if (news || orders) await ports.disk.write('overlord.again', paths.run.wake, { content: '' });
}

async function lineOf({ ports, paths, overlord }: OverlordContext): Promise<Line> {
  const identity = await readIdentity(ports.disk, paths, overlord.url);
  const ca = overlord.ca === null ? null : await ports.disk.readText(overlord.ca);
  if (overlord.ca !== null && ca === null) {
    throw new FleetError({
      code: 'config-invalid',
      what: 'The certificate authority of the overlord is not there',
      where: overlord.ca,
      remedy: 'Enrol this device again, or fetch it from /install/ca.pem of the overlord and compare it.',
    });
  }
  return { ports, paths, remote: { url: overlord.url, ca }, identity };
}

async function isDue(context: OverlordContext, { eager }: Asking): Promise<boolean> {
  const { disk, clock } = context.ports;
  const { run, outbox } = context.paths;
  const status = await readStatus(disk, context.paths);
  return !mayStayQuiet({
    eager,
    contact: await readContact(disk, run.contact),
    status: status === null ? null : statusDigest(status),
    waitingReports: (await listOutbox(disk, outbox)).length,
    beat: beatIn(await disk.readText(run.beat)),
    now: clock.now(),
  });
}

async function hasNews({ ports, paths }: OverlordContext, status: Status): Promise<boolean> {
  const contact = await readContact(ports.disk, paths.run.contact);
  return contact.status !== statusDigest(status) || (await listOutbox(ports.disk, paths.outbox)).length > 0;
}

/** The wake unit is not trusted: two numbers, or nothing. */
function beatIn(text: string | null): Beat | null {
  const [, at, goodFor] = /^(\d{1,10}) (\d{1,4})\n?$/.exec(text ?? '') ?? [];
  return at === undefined || goodFor === undefined ? null : { at: Number(at), goodFor: Number(goodFor) };
}

async function desiredOf(
  context: OverlordContext,
  { desired }: CheckInReply,
  last: Desired | null,
): Promise<Desired | null> {
  const mine = configLayer(context.config);
  const own = Object.keys(mine.values).length > 0 ? [mine] : [];
  if (desired === 'nothing') return null;
  if (desired === undefined) {
    if (last === null) return null;
    return { ...last, layers: [...own, ...last.layers.filter(({ from }) => from !== mine.from)] };
  }
  const { counter } = await verifyDesired(context, desired);
  const { role, commit, digest, position, statement, signature, layers } = desired;
  return {
    schemaVersion: 1,
    role,
    commit,
    digest,
    source: context.name,
    position,
    tree: digest,
    layers: [...own, ...layers],
    counter,
    statement: { text: statement, signature },
  };
}
