import { FleetError, problemOf, type Problem } from '@metrica-fleet/protocol';
import { ROUTES } from '@metrica-fleet/protocol/api';
import type { Config, GitConfig, OverlordConfig } from '../config.ts';
import { gitFor } from '../sources/git/command.ts';
import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { topic, type Patient } from './patient.ts';

export interface SourcesFacts {
  /** In the order in which they are asked. */
  readonly contacts: readonly Contact[];
  /** The clock of this device when the answers came, milliseconds since 1970. */
  readonly now: number;
}

/** How one source answered. */
interface Contact {
  readonly source: string;
  /** Null where it answered. */
  readonly problem: Problem | null;
  /** This user may not read what is needed to ask. */
  readonly forbidden: boolean;
  /** A stick that is not plugged in is no fault. */
  readonly optional: boolean;
  /** What the server thinks the time is, milliseconds since 1970; null where it does not say. */
  readonly date: number | null;
}

/** Milliseconds for one source. */
const DEADLINE = 10_000;
/** Seconds between our clock and theirs: the first is untidy, the second is where tokens stop to be valid. */
const DRIFT = { warning: 30, problem: 300 } as const;

async function gatherSources(patient: Patient): Promise<SourcesFacts> {
  const sources = patient.config?.sources ?? [];
  const contacts = await Promise.all(sources.map((source) => contactOf(patient, source)));
  return { contacts, now: Date.parse(patient.ports.clock.now().wall) };
}

async function contactOf(patient: Patient, source: Config['sources'][number]): Promise<Contact> {
  const named = { source: nameOf(source), forbidden: false, optional: source.kind === 'directory' };
  try {
    const date = await ask(patient, source);
    return { ...named, problem: null, date };
  } catch (thrown) {
    const forbidden =
      thrown instanceof FleetError && /\b(EACCES|permission denied)\b/i.test(thrown.problem.what);
    return { ...named, forbidden, problem: problemOf(thrown), date: null };
  }
}

function nameOf(source: Config['sources'][number]): string {
  return source.kind === 'directory' ? `directory ${source.path}` : `${source.kind} ${source.url}`;
}

/** The date of the server, where it has said one. Throws what keeps it from answering. */
async function ask(patient: Patient, source: Config['sources'][number]): Promise<number | null> {
  switch (source.kind) {
    case 'overlord':
      return await askOverlord(patient, source);
    case 'git':
      return await askGit(patient, source);
    case 'directory':
      if ((await patient.ports.disk.stat(source.path)) !== null) return null;
      throw new FleetError({ code: 'source-unreachable', what: 'It is not plugged in', where: source.path });
  }
}

/** Any answer is one: that this device may come in is the matter of another check. */
async function askOverlord({ ports }: Patient, { url, ca }: OverlordConfig): Promise<number | null> {
  const pinned = ca === null ? null : await ports.disk.readText(ca);
  return await dateFrom({ ports }, `${url}${ROUTES.certificateAuthority.path}`, pinned);
}

async function askGit({ ports, paths }: Patient, remote: GitConfig): Promise<number | null> {
  for (const file of [remote.credentials, remote.sshKey]) if (file !== null) await ports.disk.readText(file);
  const date = remote.url.startsWith('https:')
    ? dateFrom({ ports }, new URL('/', remote.url).href, null).catch(() => null)
    : Promise.resolve(null);
  const { code } = await gitFor({ exec: ports.exec, remote, cache: paths.git }).run({
    label: 'doctor.ls-remote',
    online: 'without-cache',
    args: ['ls-remote', '--exit-code', remote.url, remote.ref],
    accept: [2],
    deadline: DEADLINE,
  });
  if (code === 2) {
    throw new FleetError({
      code: 'branch-not-found',
      what: `The repo has no ${remote.ref}`,
      remedy: 'Correct `branch:` or `tag:` in config.yaml, or push it.',
    });
  }
  return await date;
}

async function dateFrom(
  { ports }: Pick<Patient, 'ports'>,
  url: string,
  ca: string | null,
): Promise<number | null> {
  const { headers, body } = await ports.http.send({
    method: 'GET',
    url,
    ca,
    headers: {},
    deadline: DEADLINE,
  });
  for await (const _ of body) break;
  const date = Date.parse(headers['date'] ?? '');
  return Number.isNaN(date) ? null : date;
}

export function judgeSources(facts: SourcesFacts): readonly Finding[] {
  if (facts.contacts.length === 0) return [];
  return [...judgeContacts(facts.contacts), ...judgeDrift(facts)];
}

/** One finding for each that does not answer; one for all where all do. */
function judgeContacts(contacts: readonly Contact[]): readonly Finding[] {
  const check = 'sources';
  const answered = contacts.filter(({ problem: fault }) => fault === null);
  const silent = contacts.flatMap(({ problem: fault, ...rest }) =>
    fault === null ? [] : [{ ...rest, fault }],
  );
  const findings = silent.map(({ source, fault, forbidden, optional }): Finding => {
    const seen = `${source}: ${fault.what}`;
    if (forbidden) return unknown(check, `${source}: this user may not read what is needed to ask it`);
    if (optional) return ok(check, seen);
    const judge = answered.length === 0 ? problem : warning;
    const why = 'No update comes from there; what runs keeps running';
    return judge(check, seen, { why, ...(fault.remedy === undefined ? {} : { remedy: fault.remedy }) });
  });
  const names = answered.map(({ source }) => source).join(', ');
  return answered.length === 0 ? findings : [ok(check, `Answered: ${names}`), ...findings];
}

function judgeDrift({ contacts, now }: SourcesFacts): readonly Finding[] {
  const check = 'clock-drift';
  const told = contacts.flatMap(({ source, date }) => (date === null ? [] : [{ source, date }]));
  const [first] = told.sort((one, other) => Math.abs(other.date - now) - Math.abs(one.date - now));
  if (first === undefined) return [];
  const seconds = Math.round(Math.abs(now - first.date) / 1000);
  const seen = `The clock is ${seconds} s ${now < first.date ? 'behind' : 'ahead of'} ${first.source}`;
  if (seconds < DRIFT.warning) return [ok(check, seen)];
  return [
    (seconds >= DRIFT.problem ? problem : warning)(check, seen, {
      why: 'Certificates and tokens are judged by the clock, and logs of two devices cannot be compared',
      remedy: 'Let the time service reach a server; see the check `time-sync`',
      command: 'timedatectl set-ntp true && systemctl restart systemd-timesyncd',
    }),
  ];
}

export const SOURCES = topic('sources', gatherSources, judgeSources);
