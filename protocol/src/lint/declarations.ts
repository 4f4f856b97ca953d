import type { Role } from '../role.ts';
import { exists, insideRole } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { serviceNames } from './one-shots.ts';
import { ROLE_FILE } from './role-file.ts';
import type { Subject } from './subject.ts';
import { at } from './walk.ts';

/** What role.yaml declares, against itself, the files and the stack. */
export function declarationFindings(subject: Subject): Finding[] {
  const { role } = subject;
  if (role === null) return [];
  return [
    ...overlaps(subject, role),
    ...seeds(subject, role),
    ...timeZone(subject, role),
    ...(subject.stacks.length === 0 ? [] : unknownServices(subject, role)),
  ];
}

function overlaps({ roleTree }: Subject, { state = [] }: Role): Finding[] {
  const paths = state.map(({ path }) => insideRole(path) ?? path);
  return paths.flatMap((path, index) => {
    const other = paths.findIndex(
      (outer, before) => before !== index && (path === outer ? before < index : isWithin(path, outer)),
    );
    if (other === -1) return [];
    const line = at(roleTree, 'state', String(index), 'path')?.line ?? null;
    const outer = state[other]?.path ?? '';
    const what = `The state ${state[index]?.path ?? path} lies in the state ${outer}`;
    const remedy = 'Declare the outer one alone: all below it is kept with it.';
    return [finding('state-overlap', { file: ROLE_FILE, line, what, remedy })];
  });
}

function isWithin(path: string, outer: string): boolean {
  return outer === '.' || path.startsWith(`${outer}/`);
}

function seeds({ roleTree, files }: Subject, { state = [] }: Role): Finding[] {
  return state.flatMap(({ path, seed }, index) => {
    const inner = seed === undefined ? '.' : insideRole(seed);
    if (inner !== null && exists(files, inner)) return [];
    const line = at(roleTree, 'state', String(index), 'seed')?.line ?? null;
    const what = `The state ${path} begins with ${seed}, which the role does not have`;
    const remedy = 'Add it to the role, or leave out `seed:` to begin with an empty folder.';
    return [finding('state-seed', { file: ROLE_FILE, line, what, remedy })];
  });
}

function timeZone({ roleTree }: Subject, { update }: Role): Finding[] {
  const zone = update?.window?.timezone;
  if (zone === undefined || isTimeZone(zone)) return [];
  const line = at(roleTree, 'update', 'window', 'timezone')?.line ?? null;
  const what = `${zone} is no time zone`;
  const remedy =
    'Write its IANA name, such as `Europe/Berlin` or `UTC`; without one the window is on the clock of the device.';
  return [finding('timezone-unknown', { file: ROLE_FILE, line, what, remedy })];
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function unknownServices(subject: Subject, role: Role): Finding[] {
  const names = serviceNames(subject);
  const remedy = `Correct the name; the stack has ${[...names].slice(0, 20).join(', ')}.`;
  const oneShots = (role.one_shots ?? []).flatMap((name, index) => {
    if (names.has(name)) return [];
    const line = at(subject.roleTree, 'one_shots', String(index))?.line ?? null;
    const what = `one_shots names ${name}, which is no service of the stack`;
    return [finding('one-shot-unknown', { file: ROLE_FILE, line, what, remedy })];
  });
  const probes = (role.health?.probes ?? []).flatMap((probe, index) => {
    const name = 'exec' in probe ? probe.exec[0] : undefined;
    if (name === undefined || names.has(name)) return [];
    const line = at(subject.roleTree, 'health', 'probes', String(index), 'exec')?.line ?? null;
    const what = `A probe runs in ${name}, which is no service of the stack`;
    return [finding('probe-unknown', { file: ROLE_FILE, line, what, remedy })];
  });
  return [...oneShots, ...probes];
}
