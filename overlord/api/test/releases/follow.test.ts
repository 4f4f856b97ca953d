import { contentDigest, unpackBundle, type Manifest } from '@metrica-fleet/protocol';
import { execa } from 'execa';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openArtifactStore, type ArtifactStore } from '../../src/artifacts/store.ts';
import { Vault } from '../../src/keys/vault.ts';
import { followRepository, type Follower } from '../../src/releases/follow.ts';
import { gitIn } from '../../src/releases/git.ts';
import { openSigner, type Signer } from '../../src/releases/signer.ts';
import { fleetRepo, type FleetRepo } from '../fleet-repo.ts';
import { freshDatabase, SILENT, type FreshDatabase } from '../postgres.ts';

let database: FreshDatabase;
let repo: FleetRepo;
let data: string;
let artifacts: ArtifactStore;
let signer: Signer;
let rolledOut: string[];
let follower: Follower;

beforeEach(async () => {
  database = await freshDatabase();
  repo = await fleetRepo();
  data = await mkdtemp(join(tmpdir(), 'fleet-data-'));
  artifacts = await openArtifactStore(join(data, 'bundles'));
  signer = await openSigner(new Vault(database.db, randomBytes(32)));
  rolledOut = [];
  follower = follow(repo.url);
});
afterEach(async () => {
  await database.close();
  await repo.remove();
  await rm(data, { recursive: true, force: true });
});

function follow(url: string): Follower {
  const mirror = join(data, 'mirror.git');
  return followRepository({
    db: database.db,
    git: gitIn({ folder: mirror, credentials: null }),
    artifacts,
    signer,
    now: () => new Date(),
    log: SILENT,
    remote: { url, branch: 'main' },
    mirror,
    rollOut: (_trx, { role }) => Promise.resolve(void rolledOut.push(role)),
    variablesChanged: (_trx, files) =>
      Promise.resolve(void rolledOut.push(...files.map(({ kind, name }) => `${kind}s/${name}`))),
  });
}

const releases = () => database.db.selectFrom('releases').selectAll().orderBy('created_at').execute();
const repository = () => database.db.selectFrom('repository').selectAll().executeTakeFirstOrThrow();

it('makes a release of a pushed role: linted, bundled, stated and handed to Deployment Control', async () => {
  const commit = await repo.push({}, 'Say hello');
  await follower.look();
  const [release] = await releases();
  expect(release).toMatchObject({
    role: 'hello',
    commit,
    state: 'ready',
    subject: 'Say hello',
    author: 'Ada',
  });
  expect(rolledOut).toEqual(['hello']);
  expect(await repository()).toMatchObject({ head: commit, problem: null });
  expect(await artifacts.size(release?.digest ?? '')).toBe(Number(release?.bundle_bytes));
});

it('packs a bundle whose bytes have the digest that the statement names', async () => {
  await repo.push({}, 'Say hello');
  await follower.look();
  const [release] = await releases();
  const size = Number(release?.bundle_bytes);
  const manifests: Manifest[] = [];
  await unpackBundle({
    from: artifacts.read(release?.digest ?? '', { start: 0, end: size - 1 }),
    where: 'bundle',
    onManifest: (manifest) => void manifests.push(manifest),
    onFile: async (_file, content) => {
      for await (const _chunk of content);
    },
    onLink: () => undefined,
  });
  expect(manifests.map(contentDigest)).toEqual([release?.digest]);
});

it('signs statements that ssh-keygen verifies against what devices get as allowed signers', async () => {
  await repo.push({}, 'Say hello');
  await follower.look();
  const { statement, signature } = await database.db
    .selectFrom('statements')
    .selectAll()
    .executeTakeFirstOrThrow();
  await writeFile(join(data, 'signers'), signer.allowedSigners);
  await writeFile(join(data, 'signature'), signature);
  const verify = (input: string) =>
    execa(
      'ssh-keygen',
      [
        ...['-Y', 'verify', '-n', 'release@metrica-fleet', '-I', 'overlord'],
        ...['-f', join(data, 'signers'), '-s', join(data, 'signature')],
      ],
      { input, reject: false },
    );
  expect((await verify(statement)).exitCode).toBe(0);
  expect((await verify(statement.replace('hello', 'olleh'))).exitCode).not.toBe(0);
});

it('makes no release of a commit that leaves the role as it is', async () => {
  await repo.push({}, 'Say hello');
  await follower.look();
  await repo.push({ 'README.md': 'A fleet\n' }, 'Describe the fleet');
  await follower.look();
  expect(await releases()).toHaveLength(1);
});

it('makes a new release, with a higher counter, when a push brings former content back', async () => {
  await repo.push({}, 'Say hello');
  await follower.look();
  await repo.push({ 'roles/hello/site/more.html': 'more' }, 'More');
  await follower.look();
  await repo.push({ 'roles/hello/site/more.html': null }, 'Less');
  await follower.look();
  const all = await releases();
  expect(all.map(({ subject }) => subject)).toEqual(['Say hello', 'More', 'Less']);
  expect(all[2]?.digest).toBe(all[0]?.digest);
  const statements = await database.db
    .selectFrom('statements')
    .select('counter')
    .orderBy('created_at')
    .execute();
  const counters = statements.map(({ counter }) => Number(counter));
  expect(counters).toEqual([...new Set(counters)].sort((a, b) => a - b));
});

it('keeps a release that fails lint, says why, and never offers it', async () => {
  await repo.push({ 'roles/hello/compose.yaml': 'services:\n  web:\n    build: .\n' }, 'Break it');
  await follower.look();
  const [release] = await releases();
  expect(release?.state).toBe('refused');
  expect(release?.findings.filter(({ severity }) => severity === 'error')).not.toHaveLength(0);
  expect(rolledOut).toEqual([]);
});

it('refuses a role whose files the manifest forbids, instead of failing for ever', async () => {
  await repo.push({ 'roles/hello/a\tb': 'tab' }, 'A tab in a name');
  await follower.look();
  expect((await releases())[0]).toMatchObject({ state: 'refused', digest: null });
  expect((await repository()).problem).toBeNull();
});

it('reads stages and variables, and tells which devices have new ones', async () => {
  await repo.push(
    {
      'fleet.yaml': 'rollout:\n  stages:\n    - {segment: canary, soak: 5s}\n    - {segment: general}\n',
      'sites/north.yaml': 'vars: {GREETING: Moin}\n',
      'devices/door.yaml': 'role: hello\nsite: north\n',
    },
    'Configure',
  );
  await follower.look();
  expect((await repository()).stages).toMatchObject([
    { segment: 'canary', soak: 5 },
    { segment: 'general', soak: 0 },
  ]);
  expect(rolledOut).toEqual(['sites/north', 'devices/door', 'hello']);
  await repo.push({ 'sites/north.yaml': 'vars: {GREETING: Hej}\n' }, 'Greet otherwise');
  await follower.look();
  expect(rolledOut.slice(3)).toEqual(['sites/north']);
});

it('keeps what it knew of a file that is wrong, and says which one and where', async () => {
  await repo.push({ 'sites/north.yaml': 'vars: {GREETING: Moin}\n' }, 'Configure');
  await follower.look();
  await repo.push({ 'sites/north.yaml': 'vars: [\n' }, 'Typo');
  await follower.look();
  expect((await repository()).problem).toMatch(/sites\/north\.yaml:\d/);
  const { vars } = await database.db.selectFrom('variable_files').selectAll().executeTakeFirstOrThrow();
  expect(vars).toEqual({ GREETING: 'Moin' });
});

it('says that the repo cannot be reached, without its password, and goes on when it is back', async () => {
  const away = follow('http://ada:hunter2@127.0.0.1:9/fleet.git');
  await away.look();
  const { problem } = await repository();
  expect(problem).toMatch(/127\.0\.0\.1/);
  expect(problem).not.toContain('hunter2');
  await repo.push({}, 'Say hello');
  await follower.look();
  expect(await repository()).toMatchObject({ problem: null });
});

it('does a look that is asked for during another one afterwards, once', async () => {
  await repo.push({}, 'Say hello');
  const first = follower.look();
  const second = repo.push({ 'roles/hello/site/more.html': 'more' }, 'More').then(() => follower.look());
  await Promise.all([first, second, follower.look()]);
  expect((await releases()).map(({ subject }) => subject)).toContain('More');
});
