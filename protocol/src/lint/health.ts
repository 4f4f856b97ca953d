import { finding, type Finding } from './finding.ts';
import { oneShotsOf } from './one-shots.ts';
import { settingsOf } from './stacks.ts';
import type { Subject } from './subject.ts';
import type { Tree } from './tree.ts';
import { at, textAt } from './walk.ts';

type Settings = ReadonlyMap<string, Tree>;
type Place = { readonly file: string; readonly line: number };

/** Whether the health gate can tell a good release from a bad one, and one service cannot take the device down. */
export function healthFindings(subject: Subject): Finding[] {
  const { role, stacks } = subject;
  const oneShots = oneShotsOf(subject);
  const isProbed = (role?.health?.probes ?? []).length > 0;
  return stacks
    .filter(({ runs }) => runs)
    .flatMap((stack) =>
      [...stack.services].flatMap(([name, service]) => {
        const settings = settingsOf(stacks, stack, name);
        const place = { file: stack.file, line: service.line };
        if (isScaledToNothing(settings)) return [];
        const isLasting = !oneShots.has(name) && !isOptional(service);
        return [
          ...memory(place, name, settings),
          ...(isLasting ? restart(place, name, settings) : []),
          ...(isLasting && !isProbed ? healthcheck(place, name, settings) : []),
        ];
      }),
    );
}

function isScaledToNothing(settings: Settings): boolean {
  return textAt(settings.get('scale')) === '0' || textAt(at(settings.get('deploy'), 'replicas')) === '0';
}

/** A service that only runs when its profile is named never runs by itself. */
function isOptional(service: Tree): boolean {
  return (at(service, 'profiles')?.items.length ?? 0) > 0;
}

function memory(place: Place, name: string, settings: Settings): Finding[] {
  const limit =
    textAt(settings.get('mem_limit')) ?? textAt(at(settings.get('deploy'), 'resources', 'limits', 'memory'));
  if (limit !== null) return [];
  const what = `The service ${name} has no memory limit: when it grows, the device slows down or kills another one`;
  return [finding('no-memory-limit', { ...place, what, remedy: 'Set `mem_limit: 128m`, or what it needs.' })];
}

function restart(place: Place, name: string, settings: Settings): Finding[] {
  const policy = textAt(settings.get('restart'));
  if (
    (policy !== null && policy !== 'no' && policy !== 'false') ||
    at(settings.get('deploy'), 'restart_policy')
  )
    return [];
  const what = `The service ${name} is not restarted when it ends`;
  const remedy =
    'Set `restart: unless-stopped`; if it is meant to end, name it under `one_shots:` in role.yaml.';
  return [finding('no-restart', { ...place, what, remedy })];
}

function healthcheck(place: Place, name: string, settings: Settings): Finding[] {
  const check = settings.get('healthcheck');
  const test = at(check, 'test');
  const disabled = textAt(at(check, 'disable')) === 'true' || textAt(test?.items[0] ?? test) === 'NONE';
  if (check !== undefined && !disabled) return [];
  const what = `The service ${name} has no healthcheck and the role no probe: a release in which it hangs counts as healthy`;
  const remedy = 'Add `healthcheck:` to the service, or a probe under `health:` in role.yaml.';
  return [finding('no-healthcheck', { ...place, what, remedy })];
}
