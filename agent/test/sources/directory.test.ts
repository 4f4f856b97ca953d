import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import { directorySource } from '../../src/sources/directory.ts';
import type { SteadySource } from '../../src/sources/source.ts';
import { bench, stick, type Bench } from './bench.ts';
import { COMMIT, fillStick, makeSigner, ROLE_FILES, type Signer } from './signed-stick.ts';

let on: Bench;
let signer: Signer;
let path: string;
const sourceWith = (config: Partial<Config> = {}): SteadySource =>
  directorySource(stick(path), on.config({ allowedSigners: signer.signers, ...config }), on.context);
const code = (expected: string): object => ({ problem: { code: expected } });

beforeEach(() => {
  on = bench();
  path = join(on.root, 'usb');
  signer = makeSigner(on.root);
});
afterEach(() => on.clear());

describe('a stick with a signed bundle', () => {
  it('says what its statement says, with the values that were known last', async () => {
    const { digest } = await fillStick(path, signer);
    const fresh = await sourceWith({ vars: { NAME: 'x' } }).desired(null);
    expect(fresh).toMatchObject({ role: 'web', commit: COMMIT, digest, source: `directory ${path}` });
    expect(fresh.layers).toEqual([{ from: 'config.yaml', values: { NAME: 'x' } }]);
    const layers = [{ from: 'sites/a.yaml', values: { NAME: 'y' } }];
    expect((await sourceWith().desired({ ...fresh, source: 'git', layers })).layers).toEqual(layers);
  });

  it('gives the very same answer while it holds the same', async () => {
    await fillStick(path, signer);
    const first = await sourceWith().desired(null);
    expect(await sourceWith().desired(first)).toBe(first);
  });

  it('unpacks to the files of the role, with their modes and links', async () => {
    await fillStick(path, signer);
    const folder = on.folder();
    const source = sourceWith();
    const { statement } = await source.fetch(await source.desired(null), folder);
    expect(statement?.text).toContain(COMMIT);
    for (const [name, text] of Object.entries(ROLE_FILES))
      expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
    expect(readFileSync(join(folder, 'start'), 'utf8')).toBe(ROLE_FILES['run.sh']);
    expect(lstatSync(join(folder, 'run.sh')).mode & 0o777).toBe(0o755);
  });
});

describe('a stick that cannot answer', () => {
  it('is not there', async () => {
    await expect(sourceWith().desired(null)).rejects.toMatchObject(code('source-unreachable'));
  });

  it('has no signature, or no bundle', async () => {
    await fillStick(path, signer);
    rmSync(join(path, 'web/bundle.tar.gz'));
    const wanted = await sourceWith().desired(null);
    await expect(sourceWith().fetch(wanted, on.folder())).rejects.toMatchObject(code('source-unreachable'));
    rmSync(join(path, 'web/statement.json.sig'));
    await expect(sourceWith().desired(null)).rejects.toMatchObject(code('source-unreachable'));
  });

  it('meets a device that trusts nobody', async () => {
    await fillStick(path, signer);
    const source = sourceWith({ allowedSigners: null });
    await expect(source.desired(null)).rejects.toMatchObject(code('signers-missing'));
    const lost = sourceWith({ allowedSigners: join(on.root, 'none') });
    await expect(lost.desired(null)).rejects.toMatchObject(code('signers-missing'));
  });

  it('meets a device without a role', async () => {
    await expect(sourceWith({ role: null }).desired(null)).rejects.toMatchObject(code('role-not-found'));
  });
});

describe('a stick that was tampered with is refused before anything is unpacked', () => {
  const change = (name: string, edit: (text: string) => string): void => {
    const file = join(path, 'web', name);
    writeFileSync(file, edit(readFileSync(file, 'utf8')));
  };

  it.each<[string, () => unknown]>([
    ['signed by a stranger', () => fillStick(path, makeSigner(join(on.root, 'else')))],
    [
      'with another word in its statement',
      () => change('statement.json', (text) => text.replace('"counter":1', '"counter":9')),
    ],
    ['with a white space more in its statement', () => change('statement.json', (text) => `${text} `)],
    ['with rubbish for a statement', () => change('statement.json', () => 'rubbish')],
    ['with rubbish for a signature', () => change('statement.json.sig', () => 'rubbish')],
    ['with an empty signature', () => change('statement.json.sig', () => '')],
  ])('%s', async (_, tamper) => {
    await fillStick(path, signer);
    const wanted = await sourceWith().desired(null);
    await Promise.resolve(tamper());
    await expect(sourceWith().desired(wanted)).rejects.toMatchObject(code('statement-invalid'));
    const folder = on.folder();
    await expect(sourceWith().fetch(wanted, folder)).rejects.toMatchObject(code('statement-invalid'));
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join(on.context.paths.run.dir, 'statement.sig'))).toBe(false);
  });

  it('signed rightly, for another purpose', async () => {
    await fillStick(path, signer);
    writeFileSync(signer.signers, readFileSync(signer.signers, 'utf8').replace('release@', 'other@'));
    await expect(sourceWith().desired(null)).rejects.toMatchObject(code('statement-invalid'));
  });

  it('signed rightly, about another role', async () => {
    await fillStick(path, { ...signer, statement: { role: 'camera' } });
    await expect(sourceWith().desired(null)).rejects.toMatchObject(code('statement-invalid'));
  });

  it('with another bundle under a good statement', async () => {
    await fillStick(path, signer);
    const wanted = await sourceWith().desired(null);
    const statement = readFileSync(join(path, 'web/statement.json'));
    const signature = readFileSync(join(path, 'web/statement.json.sig'));
    await fillStick(path, { ...signer, files: { ...ROLE_FILES, 'page/index.html': 'evil' } });
    writeFileSync(join(path, 'web/statement.json'), statement);
    writeFileSync(join(path, 'web/statement.json.sig'), signature);
    const folder = on.folder();
    await expect(sourceWith().fetch(wanted, folder)).rejects.toMatchObject(code('manifest-mismatch'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with a bundle that ends in the middle of a file', async () => {
    const files = { ...ROLE_FILES, 'a-noise': randomBytes(300_000).toString('hex') };
    await fillStick(path, { ...signer, files });
    const wanted = await sourceWith().desired(null);
    const bundle = join(path, 'web/bundle.tar.gz');
    truncateSync(bundle, Math.floor(lstatSync(bundle).size / 2));
    await expect(sourceWith().fetch(wanted, on.folder())).rejects.toMatchObject(code('bundle-invalid'));
  });

  it.each([
    ['bundle-too-large', 'a bomb', () => gzipSync(Buffer.alloc(300 * 1024 * 1024))],
    ['bundle-invalid', 'rubbish', () => Buffer.from('rubbish')],
    ['bundle-invalid', 'nothing', () => Buffer.alloc(0)],
    [
      'bundle-invalid',
      'half of itself',
      () => readFileSync(join(path, 'web/bundle.tar.gz')).subarray(0, 300),
    ],
  ])(
    'with %s for a bundle that is %s',
    async (expected, _, bytes) => {
      await fillStick(path, signer);
      const wanted = await sourceWith().desired(null);
      writeFileSync(join(path, 'web/bundle.tar.gz'), bytes());
      await expect(sourceWith().fetch(wanted, on.folder())).rejects.toMatchObject(code(expected));
    },
    30_000,
  );
});
