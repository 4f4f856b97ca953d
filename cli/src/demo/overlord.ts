import { FleetError } from '@metrica-fleet/protocol';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dashboardOf } from '../build-dashboard.ts';
import { FleetApi } from '../fleet-api.ts';
import { startChild, type Child } from './child.ts';
import { freePort } from './ports.ts';
import type { Group } from './sample-fleet.ts';

export interface DemoOverlord {
  /** For a browser on this machine. */
  readonly url: string;
  /** As the simulated devices reach it: by address, since `localhost` may mean IPv6 first. */
  readonly deviceUrl: string;
  readonly signIn: SignIn;
  readonly api: FleetApi;
  readonly child: Child;
}

/** What a person types to sign in. */
export interface SignIn {
  readonly name: string;
  readonly password: string;
}

export interface OverlordOptions {
  /** The clone. */
  readonly root: string;
  readonly data: string;
  readonly log: string;
  /** For browsers and simulated devices, without TLS, on this machine only. */
  readonly port: number;
  /** Path of the fleet repo. */
  readonly repo: string;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  readonly onDeath: (error: FleetError) => void;
}

/** Seconds between two looks at the repo: a push is seen at once. */
const REPO_INTERVAL = '1';
/** Seconds until a device that was cut off is shown as offline: time passes more quickly on simulated ones. */
const AWAY = '10';
/** Milliseconds for the first releases. */
const RELEASE_DEADLINE = 60_000;

/** Starts the real overlord, on this machine alone, and becomes its first admin. */
export async function startOverlord(options: OverlordOptions): Promise<DemoOverlord> {
  const { root, data, log, port, repo, signal, onDeath } = options;
  const tlsPort = String(await freePort());
  let ready: (line: string) => void = () => undefined;
  const firstWord = new Promise<string>((resolve) => (ready = resolve));
  const child = startChild({
    name: 'The overlord',
    argv: [
      join(root, 'overlord/api/dist/src/main.js'),
      ...['--data', data, '--repo', repo, '--repo-interval', REPO_INTERVAL],
      ...['--host', 'localhost', '--listen', '127.0.0.1', '--port', tlsPort, '--local-port', String(port)],
      ...['--dashboard', dashboardOf(root), '--away', AWAY],
    ],
    log,
    onLine: (line) => {
      if (line.startsWith('{"ready":true')) ready(line);
    },
    onDeath,
  });
  try {
    const { firstAdminUrl } = JSON.parse(await Promise.race([firstWord, aborted(signal)])) as Ready;
    const deviceUrl = `http://127.0.0.1:${port}`;
    const signIn = { name: 'demo', password: randomBytes(9).toString('base64url') };
    const token = new URL(firstAdminUrl).hash.slice('#token='.length);
    const api = await enter({ origin: deviceUrl, signal }, { ...signIn, token });
    return { url: `http://localhost:${port}/`, deviceUrl, signIn, api, child };
  } catch (thrown) {
    await child.stop();
    throw thrown;
  }
}

/** The part of the overlord's first line that we read; on fresh data there is no admin yet. */
interface Ready {
  readonly firstAdminUrl: string;
}

/** Uses the one-time link, and makes an API token for ourselves: the session is the person's. */
async function enter(
  { origin, signal }: { readonly origin: string; readonly signal: AbortSignal },
  admin: SignIn & { readonly token: string },
): Promise<FleetApi> {
  const anybody = new FleetApi(origin, {}, signal);
  const { reply, cookies } = await anybody.exchange('createFirstAdmin', { body: admin });
  const session = new FleetApi(
    origin,
    { cookie: cookies.join('; '), 'x-csrf-token': reply.csrf ?? '' },
    signal,
  );
  const made = await session.call('createApiToken', {
    body: { name: 'fleet demo', role: 'operator', days: 30 },
  });
  return new FleetApi(origin, { authorization: `Bearer ${made.token}` }, signal);
}

/**
 * Waits until these roles have a release that may go out to everybody. With no device there yet, nobody has to be
 * asked: those who come then take it at once.
 */
export async function firstReleases(api: FleetApi, roles: readonly string[]): Promise<void> {
  const deadline = performance.now() + RELEASE_DEADLINE;
  for (;;) {
    const { items } = await api.call('listRollouts');
    const out = new Set(items.filter(({ state }) => state === 'done').map(({ role }) => role));
    if (roles.every((role) => out.has(role))) return;
    if (performance.now() > deadline) {
      const { problem } = await api.call('showRepository');
      throw new FleetError({
        code: 'deadline-exceeded',
        what: problem ?? 'The overlord has not made releases of the sample repo',
      });
    }
    await sleep(200);
  }
}

/** An enrolment token for each group of devices. */
export async function invite(api: FleetApi, groups: readonly Group[]): Promise<readonly Invitation[]> {
  const invitations: Invitation[] = [];
  for (const { role, segment, site, devices } of groups) {
    const body = { name: `${role}, ${site}`, role, segment, site, uses: devices };
    const { token } = await api.call('createEnrolmentToken', { body });
    invitations.push({ token, devices });
  }
  return invitations;
}

/** For the simulator: see simulator/README.md. */
export interface Invitation {
  readonly token: string;
  readonly devices: number;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
