import { digestOf, type Statement } from '@metrica-fleet/protocol';
import type { DesiredState } from '@metrica-fleet/protocol/api';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { vouchedFor } from '../../src/act/verify-release.ts';
import type { Desired } from '../../src/sources/source.ts';
import { COMMIT, fillStick, makeSigner, ROLE_FILES, type Signer } from '../sources/signed-stick.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { FakeOverlord } from './fake-overlord.ts';
import { joinFleet, put, type Joined } from './joined.ts';

const EAGER = { eager: true };
let folder: string;
let ours: Certificates;
let overlord: FakeOverlord;
let device: Joined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrica-release-'));
  ours = makeCertificates(folder, 'ours');
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  overlord = await FakeOverlord.start(ours);
  device = joinFleet(overlord, ours.ca);
});
afterEach(async () => {
  device.clear();
  await overlord.stop();
});

interface Publication {
  readonly by?: Signer;
  readonly statement?: Partial<Statement>;
  readonly desired?: Partial<DesiredState>;
}

/** The overlord wants a release of `web` and has its bundle. Position and counter as given. */
async function publish({ by, statement, desired }: Publication = {}): Promise<DesiredState> {
  const stick = join(device.on.root, 'published');
  const said = await fillStick(stick, { key: (by ?? device.signer).key, statement: statement ?? {} });
  const read = (name: string): string => readFileSync(join(stick, 'web', name), 'utf8');
  const state: DesiredState = {
    position: 'p1',
    role: said.role,
    commit: said.commit,
    digest: said.digest,
    statement: read('statement.json'),
    signature: read('statement.json.sig'),
    layers: [{ from: 'sites/a.yaml', values: { NAME: 'x' } }],
    ...desired,
  };
  overlord.artifacts.set(said.digest, readFileSync(join(stick, 'web', 'bundle.tar.gz')));
  overlord.answer = ({ position }) => (position === state.position ? {} : { desired: state });
  return state;
}

const ask = (last: Desired | null = null): Promise<Desired | null> => device.source().desired(last, EAGER);

async function wanted(): Promise<Desired> {
  const desired = await ask();
  if (desired === null) throw new Error('nothing is wanted');
  return desired;
}

describe('what an overlord wants', () => {
  it('is the release that was signed, with the values of its layers', async () => {
    const { digest } = await publish();
    expect(await ask()).toMatchObject({
      role: 'web',
      commit: COMMIT,
      digest,
      position: 'p1',
      layers: [{ from: 'sites/a.yaml', values: { NAME: 'x' } }],
    });
  });

  it('is not sent again to a device that has it, and stays what it was', async () => {
    await publish();
    const first = await wanted();
    expect(await ask(first)).toEqual(first);
    expect(overlord.checkIns.map(({ position }) => position)).toEqual([null, 'p1']);
  });

  it('is asked for anew where another source was heard last', async () => {
    await publish();
    const first = await wanted();
    expect(await ask({ ...first, source: 'git somewhere', position: 'other' })).toEqual(first);
  });

  it('may be nothing', async () => {
    await publish();
    const first = await wanted();
    overlord.answer = () => ({ desired: 'nothing' });
    expect(await ask(first)).toBeNull();
  });

  it('gives way to no value of config.yaml, and takes one that is missing', async () => {
    await publish();
    const before = await wanted();
    Object.assign(device.config, { vars: { ROOM: 'lobby' } });
    const after = await ask(before);
    expect(after?.layers).toEqual([{ from: 'config.yaml', values: { ROOM: 'lobby' } }, ...before.layers]);
    Object.assign(device.config, { vars: {} });
    expect(await ask(after)).toEqual(before);
  });
});

describe('a desired state does not count', () => {
  const refusedAs = (code: string): object => ({ problem: expect.objectContaining({ code }) });

  it('when a stranger has signed it', async () => {
    await publish({ by: makeSigner(join(device.on.root, 'stranger')) });
    await expect(ask()).rejects.toMatchObject(refusedAs('statement-invalid'));
  });

  it.each(['statement', 'signature'] as const)('when its %s is empty', async (field) => {
    await publish({ desired: { [field]: '' } });
    await expect(ask()).rejects.toMatchObject(refusedAs('statement-invalid'));
  });

  it.each([
    ['role', { role: 'other' }],
    ['commit', { commit: 'd'.repeat(40) }],
    ['digest', { digest: 'e'.repeat(64) }],
  ])('when the signed statement is about another %s', async (_, desired) => {
    await publish({ desired });
    await expect(ask()).rejects.toMatchObject(refusedAs('statement-invalid'));
  });

  it('when nobody has said whose signatures count', async () => {
    await publish();
    Object.assign(device.config, { allowedSigners: null });
    await expect(ask()).rejects.toMatchObject(refusedAs('signers-missing'));
  });

  it('when its statement is older than one that this device has accepted', async () => {
    const { commit, digest, role } = await publish({ statement: { counter: 4 } });
    const desired = await wanted();
    const vouching = {
      release: { role, commit, digest },
      promised: true,
      source: device.source(),
      statement: desired.statement ?? null,
    };
    const context = { ...device.context, config: device.config } as unknown as Context;
    expect(await vouchedFor(context, { ...vouching, floor: { web: 4 } })).toBe(4);
    await expect(vouchedFor(context, { ...vouching, floor: { web: 5 } })).rejects.toMatchObject(
      refusedAs('statement-replayed'),
    );
  });
});

describe('a bundle', () => {
  const fetch = async (desired: Desired): Promise<string> => {
    const into = device.on.folder();
    await device.source().fetch(desired, into);
    return into;
  };
  const page = (into: string): string => readFileSync(join(into, 'page/index.html'), 'utf8');
  const ranges = (): (string | undefined)[] =>
    overlord.requests.filter(({ path }) => path.includes('artifacts')).map(({ headers }) => headers.range);

  it('is downloaded and unpacked', async () => {
    await publish();
    expect(page(await fetch(await wanted()))).toBe(ROLE_FILES['page/index.html']);
    expect(ranges()).toEqual([undefined]);
  });

  it('goes on where the connection broke', async () => {
    const { digest } = await publish();
    const desired = await wanted();
    overlord.cutAfter = 100;
    await expect(fetch(desired)).rejects.toMatchObject({ problem: { code: 'source-unreachable' } });
    expect(page(await fetch(desired))).toBe(ROLE_FILES['page/index.html']);
    expect(ranges()).toEqual([undefined, 'bytes=100-']);
    expect(overlord.requests.at(-1)?.headers['if-range']).toBe(`"${digest}"`);
  });

  it.each([
    ['torn', (bundle: Buffer) => Buffer.alloc(50).fill('x').toString('latin1') + bundle.length],
    ['whole, with nothing left to download', (bundle: Buffer) => bundle.toString('latin1')],
    ['too long', (bundle: Buffer) => `${bundle.toString('latin1')}x`],
  ])('is right in the end where what an earlier run left is %s', async (_, left) => {
    const { digest } = await publish();
    const bundle = overlord.artifacts.get(digest) ?? Buffer.alloc(0);
    put(join(device.context.paths.downloads, `${digest}.part`), '');
    await device.context.ports.disk.write(
      'test.part',
      join(device.context.paths.downloads, `${digest}.part`),
      {
        content: Buffer.from(left(bundle), 'latin1'),
      },
    );
    expect(page(await fetch(await wanted()))).toBe(ROLE_FILES['page/index.html']);
  });

  it('that is not the one that was signed is refused', async () => {
    const { digest } = await publish();
    const desired = await wanted();
    overlord.artifacts.set(digest, overlord.artifacts.get(await otherDigest()) ?? Buffer.alloc(0));
    await expect(fetch(desired)).rejects.toMatchObject({ problem: { code: 'manifest-mismatch' } });
  });

  it('that the overlord does not offer any more is asked for again later', async () => {
    await publish();
    const desired = await wanted();
    overlord.artifacts.clear();
    await expect(fetch(desired)).rejects.toMatchObject({ problem: { code: 'source-unreachable' } });
  });

  it('is fetched with a new token where the old one is over', async () => {
    await publish();
    const desired = await wanted();
    overlord.tokens.clear();
    expect(page(await fetch(desired))).toBe(ROLE_FILES['page/index.html']);
  });

  async function otherDigest(): Promise<string> {
    const stick = join(device.on.root, 'other');
    const files = { ...ROLE_FILES, 'page/index.html': '<h1>evil</h1>\n' };
    await fillStick(stick, { key: device.signer.key, files });
    const bundle = readFileSync(join(stick, 'web/bundle.tar.gz'));
    overlord.artifacts.set(digestOf(bundle), bundle);
    return digestOf(bundle);
  }
});
