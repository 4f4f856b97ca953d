import type { Status } from '@metrica-fleet/protocol';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../src/config.ts';
import type { SourceContext } from '../../src/sources/sources.ts';
import { sourcesOf } from '../../src/sources/sources.ts';
import type { Source } from '../../src/sources/source.ts';
import { bench, type Bench } from '../sources/bench.ts';
import { makeSigner, type Signer } from '../sources/signed-stick.ts';
import type { FakeOverlord } from './fake-overlord.ts';

const DEVICE = '11111111-1111-4111-8111-111111111111';

/** A device that has joined a fake overlord: its folders, its configuration, its sources as one run builds them. */
export interface Joined {
  readonly on: Bench;
  readonly context: SourceContext;
  readonly config: Config;
  readonly signer: Signer;
  /** The sources of one run. */
  sources(): readonly Source[];
  /** The overlord as a source of one run. */
  source(): Source;
  /** The same device in another process: everything but what lies on the disk is new. */
  again(): Joined;
  clear(): void;
}

export function joinFleet(overlord: FakeOverlord, ca: string): Joined {
  const on = bench();
  return withContext(on, prepare(on, overlord, ca));
}

interface Prepared {
  readonly config: Config;
  readonly signer: Signer;
}

function withContext(on: Bench, prepared: Prepared): Joined {
  const sources = (): readonly Source[] => sourcesOf(prepared.config, on.context);
  const source = (): Source => {
    const [first] = sources();
    if (first === undefined) throw new Error('no source');
    return first;
  };
  const again = (): Joined => withContext({ ...on, context: on.another() }, prepared);
  return { ...prepared, on, context: on.context, sources, source, again, clear: () => on.clear() };
}

function prepare(on: Bench, overlord: FakeOverlord, ca: string): Prepared {
  const { paths } = on.context;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  put(paths.identity.key, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const device = {
    schemaVersion: 1,
    device: DEVICE,
    name: 'kiosk-1',
    overlord: overlord.url,
    enrolledAt: '2026-01-01T00:00:00Z',
    serial: null,
  };
  put(paths.identity.device, JSON.stringify(device));
  overlord.keys.set(DEVICE, publicKey.export({ format: 'jwk' }).x ?? '');
  const caFile = join(on.root, 'ca.pem');
  put(caFile, ca);
  const signer = makeSigner(join(on.root, 'signer'));
  const config = on.config({
    role: null,
    allowedSigners: signer.signers,
    sources: [{ kind: 'overlord', url: overlord.url, ca: caFile }],
  });
  return { config, signer };
}

export function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A status as a run of a quiet device leaves it. */
export function statusAt(at: string, over: Partial<Status> = {}): Status {
  return {
    schemaVersion: 1,
    device: 'kiosk-1',
    agentVersion: 'dev',
    at,
    state: 'idle',
    health: 'healthy',
    running: null,
    wanted: null,
    pending: null,
    refused: null,
    interval: 300,
    lastUpdate: null,
    lastConvergence: at,
    problems: [],
    services: [],
    sources: [],
    ...over,
  };
}
