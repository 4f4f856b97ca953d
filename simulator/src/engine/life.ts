import type { ComposeService, Container } from '@metrica-fleet/agent';
import { wordsOf } from './long-syntax.ts';

/** What becomes of a container once it runs. */
export type Fate =
  | {
      readonly kind: 'lasts';
      readonly check: 'none' | 'passes' | 'fails';
      readonly ready: number;
      readonly fails: number;
    }
  /** It exits by itself, that many seconds after each start. */
  | { readonly kind: 'ends'; readonly after: number; readonly code: number };

/** How a container looks from outside at one moment. */
export type Look = Pick<Container, 'state' | 'health' | 'exitCode' | 'restarts'>;

/** Label of a service that says how it behaves: `crash`, `unhealthy`, `exit 3`. */
const FATE_LABEL = 'io.metrica-fleet.simulate';
/** Seconds between the end of a container and its next start. Docker's own grow from 100 ms on to a minute. */
const BACKOFF = 4;
/** Seconds until a container that does its work and ends has done it. */
const WORK = 2;

/**
 * What a service does, read from its definition: a command that any shell understands (`false`, `exit 3`, `sleep 2;
 * exit 1`), a health check that cannot pass (`false`, `exit 1`), an image whose tag has «broken» in it, or the label.
 * `awaited`: another service waits for its end. `ready`: seconds until it answers.
 */
export function fateOf(
  service: ComposeService,
  { awaited, ready }: { awaited: boolean; ready: number },
): Fate {
  const label = service.labels?.[FATE_LABEL] ?? '';
  const crashes = label === 'crash' || /:[^/]*broken/.test(service.image ?? '');
  if (crashes) return { kind: 'ends', after: WORK, code: 1 };
  const end = endOf(label) ?? endOf(commandOf(service));
  if (end !== null) return { kind: 'ends', ...end };
  if (awaited) return { kind: 'ends', after: WORK, code: 0 };
  return { kind: 'lasts', ready, fails: failsAfter(service), check: checkOf(service, label === 'unhealthy') };
}

/** How a container looks `age` seconds after it was started. */
export function lookAt(fate: Fate, age: number, restart: string): Look {
  if (fate.kind === 'lasts') {
    return { state: 'running', health: healthAt(fate, age), exitCode: 0, restarts: 0 };
  }
  const { after, code } = fate;
  if (age < after) return { state: 'running', health: null, exitCode: 0, restarts: 0 };
  const again =
    restart === 'always' || restart === 'unless-stopped' || (restart === 'on-failure' && code !== 0);
  if (!again) return { state: 'exited', health: null, exitCode: code, restarts: 0 };
  const since = age - after;
  const restarts = Math.floor(since / (after + BACKOFF)) + 1;
  const state = since % (after + BACKOFF) < BACKOFF ? 'restarting' : 'running';
  return { state, health: null, exitCode: code, restarts };
}

/** Whether a container does what it is there for. */
export function isAnswering(fate: Fate, age: number): boolean {
  return fate.kind === 'lasts' && fate.check !== 'fails' && age >= fate.ready;
}

/** `restart:` of a service; `deploy.restart_policy` is the other way to say it. */
export function restartOf({ restart, deploy }: ComposeService): string {
  if (restart !== undefined) return restart.split(':')[0] ?? 'no';
  const { condition } =
    (deploy as { restart_policy?: { condition?: string } } | undefined)?.restart_policy ?? {};
  return condition === 'any' ? 'always' : (condition ?? 'no');
}

function healthAt(
  { check, ready, fails }: Extract<Fate, { kind: 'lasts' }>,
  age: number,
): Container['health'] {
  if (check === 'none') return null;
  if (check === 'passes') return age >= ready ? 'healthy' : 'starting';
  return age >= fails ? 'unhealthy' : 'starting';
}

function checkOf({ healthcheck }: ComposeService, ill: boolean): 'none' | 'passes' | 'fails' {
  const test = healthcheck?.test ?? [];
  const disabled = healthcheck === undefined || healthcheck.disable === true || test[0] === 'NONE';
  if (ill) return 'fails';
  if (disabled) return 'none';
  const end = endOf(test.slice(1).join(' '));
  return end === null || end.code === 0 ? 'passes' : 'fails';
}

/** Seconds until the engine gives up on a health check: the start period, then all retries in vain. */
function failsAfter({ healthcheck }: ComposeService): number {
  const { interval, retries, start_period: start } = (healthcheck ?? {}) as Readonly<Record<string, unknown>>;
  return secondsOf(start, 0) + secondsOf(interval, 30) * (typeof retries === 'number' ? retries : 3);
}

function secondsOf(duration: unknown, otherwise: number): number {
  const text = typeof duration === 'string' ? duration : '';
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.length === 0) return otherwise;
  const units = { h: 3_600, m: 60, s: 1, ms: 0.001 } as const;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units], 0);
}

function commandOf({ entrypoint, command }: ComposeService): string {
  const words = [...wordsOf(entrypoint ?? []), ...wordsOf(command ?? [])];
  return words.join(' ').replace(/^(\/bin\/)?(ba)?sh -c /, '');
}

/** A command that ends by itself, as far as it can be told without running it. */
function endOf(command: string): { after: number; code: number } | null {
  const match = /^(?:sleep (\d+)\s*(?:;|&&)\s*)?(?:exit (\d+)|(true|false))$/.exec(command.trim());
  if (match === null) return null;
  const [, pause = '0', code, word] = match;
  return {
    after: Math.max(1, Number(pause)),
    code: word === undefined ? Number(code) : word === 'true' ? 0 : 1,
  };
}
