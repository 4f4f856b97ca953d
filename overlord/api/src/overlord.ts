import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { setTimeout as sleep } from 'node:timers/promises';
import { artifactRoutes } from './artifacts/routes.ts';
import { openArtifactStore } from './artifacts/store.ts';
import { auditRoutes } from './audit/routes.ts';
import type { OverlordConfig } from './config.ts';
import { serveDashboard } from './dashboard/serve.ts';
import { openDatabase } from './db/database.ts';
import { startEmbedded, type Embedded } from './db/embedded/embedded.ts';
import { listen } from './db/listen.ts';
import { migrate } from './db/migrate.ts';
import { checkInRoutes } from './devices/check-in.ts';
import { deviceRoutes } from './devices/device-routes.ts';
import { DeviceTokens } from './devices/device-token.ts';
import { eventRoutes } from './devices/event-routes.ts';
import { identifyDevice } from './devices/identify.ts';
import { Registry } from './devices/registry.ts';
import { tokenRoutes } from './devices/token-routes.ts';
import { approveRoutes } from './enrolment/approve.ts';
import { enrolRoutes } from './enrolment/enrol.ts';
import { enrolmentTokenRoutes } from './enrolment/token-routes.ts';
import { enrolCommand, installerRoutes } from './installer/routes.ts';
import { masterKey } from './keys/master-key.ts';
import { Vault } from './keys/vault.ts';
import { buildMetrics } from './machine-room/metrics.ts';
import { machineRoomRoutes } from './machine-room/routes.ts';
import { apiTokenRoutes } from './operators/api-tokens.ts';
import { inviteFirstAdmin } from './operators/first-admin.ts';
import { identifyOperator } from './operators/identify.ts';
import { operatorRoutes } from './operators/routes.ts';
import { overviewRoutes } from './overview/overview-route.ts';
import { followRepository, type Follower } from './releases/follow.ts';
import { gitIn } from './releases/git.ts';
import { releaseRoutes } from './releases/routes.ts';
import { openSigner } from './releases/signer.ts';
import { restate } from './releases/statements.ts';
import { buildDeploymentControl } from './rollouts/deployment-control.ts';
import { buildServer } from './server/server.ts';
import { buildSignals } from './signals/signals.ts';
import { wake } from './signals/wake.ts';
import { givenCertificates, ownCertificates, type Certificates } from './tls/certificates.ts';

/** A running overlord. */
export interface Overlord {
  /** As devices reach it. */
  readonly url: string;
  /** For a browser on this machine; the same as `url` where there is no local port. */
  readonly localUrl: string;
  readonly certificates: Certificates;
  /** Where the first admin signs up; null when there is one. */
  readonly firstAdminUrl: string | null;
  stop(): Promise<void>;
}

interface Parts {
  readonly config: OverlordConfig;
  readonly log: Logger;
  readonly version: string;
  /** Folder of the schema's migrations. */
  readonly migrations: string;
}

/** From configuration to a running overlord, top to bottom: database, keys, domains, server, loops. */
export async function startOverlord({ config, log, version, migrations }: Parts): Promise<Overlord> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const now = (): Date => new Date();

  // What is kept.
  await mkdir(config.dataDir, { recursive: true, mode: 0o711 });
  const embedded: Embedded | null =
    config.database === null ? await startEmbedded({ folder: join(config.dataDir, 'postgres'), log }) : null;
  const { url: databaseUrl, directUrl } = config.database ?? {
    url: embedded?.url ?? '',
    directUrl: embedded?.url ?? '',
  };
  await migrate(directUrl, migrations);
  const database = openDatabase({ url: databaseUrl, directUrl, log });
  const { db } = database;
  const artifacts = await openArtifactStore(join(config.dataDir, 'bundles'));

  // Who we are.
  const vault = new Vault(db, await masterKey(config.masterKey, config.dataDir));
  const signer = await openSigner(vault);
  const tokens = new DeviceTokens(
    await vault.secret('device-tokens', () => randomBytes(32)),
    config.deviceTokenLife,
  );
  const certificates = await certificatesOf(config, vault);
  const url = `https://${hostOf(config.hosts[0])}:${config.port}`;

  // Who does what.
  const registry = new Registry({ db, log, signal });
  const control = buildDeploymentControl({
    db,
    log,
    now,
    signal,
    sign: (trx, releaseId) => restate(trx, signer, { releaseId, now: now() }),
  });
  const times = { away: config.away * 1000 };
  const signals = buildSignals({ db, log, now, times, epoch: randomUUID(), ready: () => control.ready() });
  const follower = followerOf();
  const metrics = buildMetrics(db);
  const wakeNow = (
    trx: Parameters<typeof wake>[0],
    ids: readonly string[],
    reason: 'release' | 'order' | 'variables',
  ) => wake(trx, ids, { reason, splay: 0 });
  const app = await buildServer({
    log,
    version,
    trustProxy: config.trustProxy,
    identify: [identifyDevice(tokens, registry), identifyOperator(db)],
    handlers: {
      ...enrolRoutes({ db, signers: signer.allowedSigners }),
      ...enrolmentTokenRoutes({ db, command: (token) => enrolCommand({ url, certificates }, token) }),
      ...approveRoutes({ db }),
      ...tokenRoutes({ db, tokens }),
      ...checkInRoutes({
        db,
        registry,
        tokens,
        log,
        wantedBy: (device, position) => control.wantedBy(device, position),
        observe: (trx, seen) => control.observe(trx, seen),
        changed: (devices) => signals.changed(devices),
      }),
      ...deviceRoutes({ db, wake: wakeNow }),
      ...eventRoutes({ db, wake: wakeNow }),
      ...signals.routes,
      ...releaseRoutes({ db, follower }),
      ...artifactRoutes({ db, artifacts }),
      ...control.routes,
      ...overviewRoutes({ db, now }),
      ...operatorRoutes({ db }),
      ...apiTokenRoutes({ db }),
      ...auditRoutes({ db }),
      ...installerRoutes({ certificates, url, agentPackage: config.agentPackage }),
      ...machineRoomRoutes({ db, metrics }),
    },
  });
  metrics.watch(app);
  if (config.dashboard !== null) await serveDashboard(app, config.dashboard);
  await app.ready();

  // What goes on by itself.
  const loops = [
    listen(
      directUrl,
      {
        onChange(change) {
          if (change.topic === 'devices') void registry.refresh(change.id);
          control.onChange(change);
          signals.onChange(change);
        },
        onGap() {
          void registry.refresh();
          control.onGap();
          signals.onGap();
        },
      },
      { log, signal },
    ),
    control.run(),
    followFor(follower),
  ];
  await Promise.all([registry.refresh(), control.begin(), signals.begin()]);

  // Devices come by every few minutes on a new connection, and resume the TLS session of hours ago. Seconds; default: 300.
  const tls = { sessionTimeout: 86_400 };
  // The door opens last.
  const handle: RequestListener = (request, reply) => app.routing(request, reply);
  const servers = [
    await opened(createTlsServer({ ...tls, key: certificates.key, cert: certificates.certificate }, handle), {
      port: config.port,
      host: config.listen,
    }),
    ...(config.localPort === null
      ? []
      : [await opened(createHttpServer(handle), { port: config.localPort, host: '127.0.0.1' })]),
  ];
  const localUrl = config.localPort === null ? url : `http://localhost:${config.localPort}`;
  const invitation = await inviteFirstAdmin(db, now());
  return {
    url,
    localUrl,
    certificates,
    firstAdminUrl: invitation === null ? null : `${localUrl}/first-admin#token=${invitation}`,
    async stop() {
      stopping.abort();
      await signals.stop();
      await Promise.all(servers.map(closed));
      await app.close();
      await Promise.allSettled(loops);
      await database.close();
      await embedded?.stop();
    },
  };

  function followerOf(): Follower | null {
    if (config.repo === null) return null;
    const mirror = join(config.dataDir, 'mirror.git');
    return followRepository({
      db,
      git: gitIn({ folder: mirror, credentials: config.repo.credentials }),
      artifacts,
      signer,
      now,
      log,
      remote: config.repo,
      mirror,
      rollOut: (trx, release) => control.rollOut(trx, release),
      variablesChanged: (trx, files) => control.variablesChanged(trx, files),
    });
  }

  async function followFor(repository: Follower | null): Promise<void> {
    if (repository === null) return;
    for (; !signal.aborted;) {
      await repository.look();
      await sleep((config.repo?.interval ?? 60) * 1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function certificatesOf({ tls, hosts }: OverlordConfig, vault: Vault): Promise<Certificates> {
  if (tls === null) return ownCertificates(vault, hosts, new Date());
  return givenCertificates(await readFile(tls.key, 'utf8'), await readFile(tls.certificate, 'utf8'));
}

function hostOf(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}

/** Throws, in a sentence, when the port is taken or not for us. */
function opened(
  server: Server,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<Server> {
  // A device's clock and network are slow; a connection that says nothing for so long is not a device.
  server.headersTimeout = 30_000;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `The port ${port} is taken. Choose another with --port.`
          : `Cannot listen on port ${port}: ${error.message}`;
      reject(new Error(why, { cause: error }));
    });
    server.listen({ port, host }, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
