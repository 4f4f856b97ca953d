import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDigest, FleetError, manifestOf, parseManifest, type ManifestEntry } from '../src/index.ts';

const fixtures = join(import.meta.dirname, '../fixtures/manifest');
const values = (folder: string): [string, unknown][] =>
  readdirSync(join(fixtures, folder)).map((name) => [
    name,
    JSON.parse(readFileSync(join(fixtures, folder, name), 'utf8')) as unknown,
  ]);

describe('the fixtures of manifests', () => {
  it.each(values('valid'))('%s is taken', (name, value) => {
    expect(parseManifest(value, name)).toEqual(value);
  });

  it.each(values('invalid'))('%s is refused with the code in its name', (name, value) => {
    const code = name.split('.')[1];
    expect(() => parseManifest(value, name)).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ code }) as object }) as Error,
    );
  });
});

describe('a manifest', () => {
  const entries = fc.uniqueArray(
    fc.record({
      path: fc.stringMatching(/^[a-z]{1,8}$/),
      mode: fc.constantFrom('0644' as const, '0755' as const),
      size: fc.nat(1_000),
      sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
    }),
    { selector: ({ path }) => path, minLength: 2 },
  );

  it('has the same digest whatever the order in which its files were found', () => {
    fc.assert(
      fc.property(entries, (some: ManifestEntry[]) => {
        expect(contentDigest(manifestOf('web', [...some].reverse()))).toBe(
          contentDigest(manifestOf('web', some)),
        );
      }),
    );
  });

  it('has another digest when anything in it is another', () => {
    const file: ManifestEntry = { path: 'a', mode: '0644', size: 1, sha256: 'a'.repeat(64) };
    const others: ManifestEntry[] = [
      { ...file, path: 'b' },
      { ...file, mode: '0755' },
      { ...file, size: 2 },
      { ...file, sha256: 'b'.repeat(64) },
      { path: 'a', link: 'x' },
    ];
    const digests = [file, ...others].map((entry) => contentDigest(manifestOf('web', [entry])));
    expect(new Set([...digests, contentDigest(manifestOf('other', [file]))]).size).toBe(digests.length + 1);
  });

  it('never comes out of rubbish, and rubbish never gets through without a reason', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (rubbish) => {
        expect(() => parseManifest(rubbish, 'rubbish')).toThrow(FleetError);
      }),
    );
  });
});
