import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pack, type Header } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import {
  FleetError,
  canonicalJson,
  digestOf,
  manifestOf,
  packBundle,
  unpackBundle,
  type Manifest,
  type UnpackOptions,
} from '../src/index.ts';

type Files = Readonly<Record<string, Uint8Array>>;

const FILES: Files = {
  'compose.yaml': Buffer.from('services: {}\n'),
  'page/index.html': Buffer.from('<h1>hello</h1>\n'),
  [`page/${'long'.repeat(40)}/é.txt`]: Buffer.alloc(0),
};
const manifestFor = (files: Files): Manifest =>
  manifestOf('web', [
    ...Object.entries(files).map(([path, content]) => ({
      path,
      mode: '0644' as const,
      size: content.length,
      sha256: digestOf(content),
    })),
    { path: 'zz-link', link: 'compose.yaml' },
  ]);
const packed = (files: Files): Promise<Buffer> =>
  buffer(packBundle(manifestFor(files), (path) => Promise.resolve(files[path] ?? Buffer.alloc(0))));

/** Unpacks to what arrived: contents by path, links with an arrow. */
async function unpacked(
  bundle: Uint8Array,
  over: Partial<UnpackOptions> = {},
): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  await unpackBundle({
    from: pieces(bundle),
    where: 'test.tar.gz',
    onManifest: () => undefined,
    async onFile({ path }, content) {
      seen[path] = (await buffer(content)).toString('base64');
    },
    onLink: (path, target) => void (seen[path] = `-> ${target}`),
    ...over,
  });
  return seen;
}

/** Odd pieces, so that headers and contents are cut anywhere. */
// eslint-disable-next-line typescript/require-await -- a stream is what is wanted
async function* pieces(bytes: Uint8Array, size = 701): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Entry = Pick<Header, 'name'> & Partial<Header> & { readonly content?: string | Uint8Array };

/** An archive of exactly these entries, after a true manifest of FILES (or another first entry). */
async function crafted(entries: readonly Entry[], first: Entry | null = manifestEntry()): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of first === null ? entries : [first, ...entries]) {
    const bytes = Buffer.from(content ?? '');
    tar.entry({ mode: 0o644, size: bytes.length, ...header }, bytes);
  }
  tar.finalize();
  return gzipSync(await buffer(tar));
}
const manifestEntry = (manifest: unknown = manifestFor(FILES)): Entry => ({
  name: 'manifest.json',
  content: canonicalJson(manifest),
});
const good = (): Entry[] => [
  ...Object.entries(FILES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, content]) => ({ name: `files/${path}`, content })),
  { name: 'files/zz-link', type: 'symlink', linkname: 'compose.yaml', mode: 0o777 },
];
const code = (expected: string): object => ({ problem: { code: expected } });
const contents = (files: Files): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(content).toString('base64')]),
  ),
  'zz-link': '-> compose.yaml',
});

describe('a bundle', () => {
  it('comes out as it went in, whatever is in it', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9 ._ü-]{0,30}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const files = fc.dictionary(path, fc.uint8Array({ maxLength: 2_000 }), { minKeys: 1, maxKeys: 12 });
    await fc.assert(
      fc.asyncProperty(files, async (some) => {
        try {
          manifestFor(some);
        } catch {
          return; // `a` and `a/b` together: not a tree.
        }
        expect(await unpacked(await packed(some))).toEqual(contents(some));
      }),
      { numRuns: 150 },
    );
  });

  it('is the same bytes every time, and carries neither time nor owner', async () => {
    const bundle = await packed(FILES);
    expect(await packed(FILES)).toEqual(bundle);
    const header = gunzipSync(bundle).toString('latin1', 0, 512);
    expect(header.slice(108, 124)).toBe('000000 \u0000000000 \u0000');
    expect(header.slice(136, 148)).toBe('00000000000 ');
  });

  it('is not made of files that differ from their manifest', async () => {
    const stream = packBundle(manifestFor(FILES), () => Promise.resolve(Buffer.from('other')));
    await expect(buffer(stream)).rejects.toMatchObject(code('manifest-mismatch'));
  });

  it('passes on what its user throws, and stops there', async () => {
    const refusal = new Error('not that one');
    const never = (): Promise<never> => Promise.reject(new Error('must not be reached'));
    const onManifest = (): never => {
      throw refusal;
    };
    await expect(unpacked(await packed(FILES), { onManifest, onFile: never })).rejects.toBe(refusal);
    await expect(unpacked(await packed(FILES), { onFile: () => Promise.reject(refusal) })).rejects.toBe(
      refusal,
    );
  });
});

describe('a bundle that is refused', () => {
  it('is not when it is made by hand and right', async () => {
    expect(await unpacked(await crafted(good()))).toEqual(contents(FILES));
  });

  const replaced = (entry: Entry): Entry[] => [entry, ...good().slice(1)];
  it.each<[string, string, () => Entry[]]>([
    ['manifest-mismatch', 'an absolute path', () => replaced({ name: '/etc/passwd', content: 'x' })],
    ['manifest-mismatch', 'a path with ..', () => replaced({ name: 'files/../../etc/passwd', content: 'x' })],
    [
      'manifest-mismatch',
      'a hard link',
      () => replaced({ name: 'files/compose.yaml', type: 'link', linkname: '/etc/shadow' }),
    ],
    [
      'manifest-mismatch',
      'a symlink for a file',
      () => replaced({ name: 'files/compose.yaml', type: 'symlink', linkname: '/etc/shadow' }),
    ],
    ['manifest-mismatch', 'a device', () => replaced({ name: 'files/compose.yaml', type: 'block-device' })],
    ['manifest-mismatch', 'a fifo', () => replaced({ name: 'files/compose.yaml', type: 'fifo' })],
    [
      'manifest-mismatch',
      'a folder for a file',
      () => replaced({ name: 'files/compose.yaml', type: 'directory' }),
    ],
    [
      'manifest-mismatch',
      'other content',
      () => replaced({ name: 'files/compose.yaml', content: 'services: []\n' }),
    ],
    [
      'manifest-mismatch',
      'a longer content',
      () => replaced({ name: 'files/compose.yaml', content: 'services: {}\nmore' }),
    ],
    [
      'manifest-mismatch',
      'another mode',
      () => replaced({ name: 'files/compose.yaml', content: 'services: {}\n', mode: 0o755 }),
    ],
    [
      'manifest-mismatch',
      'a setuid bit',
      () => replaced({ name: 'files/compose.yaml', content: 'services: {}\n', mode: 0o4644 }),
    ],
    [
      'manifest-mismatch',
      'a link to elsewhere',
      () => [...good().slice(0, -1), { name: 'files/zz-link', type: 'symlink', linkname: '/etc' }],
    ],
    ['manifest-mismatch', 'an entry twice', () => [...good().slice(0, 1), ...good()]],
    ['manifest-mismatch', 'an entry more', () => [...good(), { name: 'files/zzz', content: 'x' }]],
    ['manifest-mismatch', 'an entry less', () => good().slice(0, -1)],
    ['manifest-mismatch', 'another order', () => good().reverse()],
    ['manifest-mismatch', 'nothing but a manifest', () => []],
  ])('%s: it has %s', async (expected, _, entries) => {
    await expect(unpacked(await crafted(entries()))).rejects.toMatchObject(code(expected));
  });

  it.each<[string, string, Entry | null]>([
    ['bundle-invalid', 'none', null],
    ['bundle-invalid', 'one that is not JSON', { name: 'manifest.json', content: '{' }],
    ['bundle-invalid', 'one of another shape', { name: 'manifest.json', content: '{"schemaVersion":1}' }],
    [
      'bundle-invalid',
      'one that is not canonical',
      { name: 'manifest.json', content: `${canonicalJson(manifestFor(FILES))}\n` },
    ],
    [
      'bundle-too-large',
      'a giant one',
      { name: 'manifest.json', content: Buffer.alloc(5 * 1024 * 1024, 32) },
    ],
    [
      'path-escapes',
      'one with ..',
      manifestEntry({ schemaVersion: 1, role: 'web', entries: [{ path: '../x', link: 'y' }] }),
    ],
    [
      'path-escapes',
      'one with an absolute path',
      manifestEntry({ schemaVersion: 1, role: 'web', entries: [{ path: '/x', link: 'y' }] }),
    ],
    [
      'path-escapes',
      'one with a link out of the tree',
      manifestEntry({ schemaVersion: 1, role: 'web', entries: [{ path: 'x', link: '../y' }] }),
    ],
    [
      'path-escapes',
      'one with a file behind a link',
      manifestEntry({
        schemaVersion: 1,
        role: 'web',
        entries: [
          { path: 'x', link: 'y' },
          { path: 'x/z', link: 'y' },
        ],
      }),
    ],
    [
      'bundle-invalid',
      'one that names a file twice',
      manifestEntry({
        schemaVersion: 1,
        role: 'web',
        entries: [
          { path: 'x', link: 'y' },
          { path: 'x', link: 'z' },
        ],
      }),
    ],
  ])('%s: its manifest is %s', async (expected, _, first) => {
    await expect(unpacked(await crafted(good(), first))).rejects.toMatchObject(code(expected));
  });

  it('bundle-invalid: it is cut anywhere', async () => {
    const bundle = await packed(FILES);
    for (let length = 0; length < bundle.length; length += 7)
      await expect(unpacked(bundle.subarray(0, length))).rejects.toMatchObject(code('bundle-invalid'));
    const tar = gunzipSync(bundle);
    for (let length = 0; length < tar.length; length += 512) {
      const codes = expect.stringMatching(/^(bundle-invalid|manifest-mismatch)$/) as string;
      await expect(unpacked(gzipSync(tar.subarray(0, length)))).rejects.toMatchObject(code(codes));
    }
  });

  it('bundle-invalid: something follows it', async () => {
    const bundle = await packed(FILES);
    for (const more of [Buffer.from('more'), Buffer.alloc(3), gzipSync(Buffer.alloc(512)), gzipSync('x')])
      await expect(unpacked(Buffer.concat([bundle, more]))).rejects.toMatchObject(code('bundle-invalid'));
  });

  it('bundle-too-large: it is a bomb', async () => {
    await expect(unpacked(gzipSync(Buffer.alloc(300 * 1024 * 1024)))).rejects.toMatchObject(
      code('bundle-too-large'),
    );
  }, 30_000);

  it('for a reason of its own, whatever rubbish it is', async () => {
    const bundle = await packed(FILES);
    const tar = gunzipSync(bundle);
    const flips = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(flips, fc.boolean(), async (changes, inside) => {
        const bytes = Buffer.from(inside ? tar : bundle);
        for (const [at, mask] of changes)
          bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ mask, at % bytes.length);
        const outcome = await unpacked(inside ? gzipSync(bytes) : bytes).catch((error: unknown) =>
          error instanceof FleetError ? 'refused' : error,
        );
        // A flip may hit what nobody reads (times, owners, gzip's own header); then the content is the right one.
        expect([contents(FILES), 'refused']).toContainEqual(outcome);
      }),
      { numRuns: 400 },
    );
  });
});
