import { STATEMENT_NAMESPACE } from '@metrica-fleet/protocol';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSignedBy, principalsFor } from '../src/host/ssh-signature.ts';

const MESSAGE = 'what was signed\n';
let folder: string;
let keys: Readonly<Record<'overlord' | 'other', string>>;
let signature: string;

/** The public key, and a signature of MESSAGE, by the real ssh-keygen. */
function makeKey(name: string): string {
  const path = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  return readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulated-keys-'));
  keys = { overlord: makeKey('overlord'), other: makeKey('other') };
  const file = join(folder, 'message');
  writeFileSync(file, MESSAGE);
  const sign = ['-Y', 'sign', '-q', '-f', join(folder, 'overlord'), '-n', STATEMENT_NAMESPACE, file];
  execFileSync('ssh-keygen', sign);
  signature = readFileSync(`${file}.sig`, 'utf8');
});
afterAll(() => rmSync(folder, { recursive: true }));

const listed = (options = ''): string => `# who may\n\noverlord ${options}${keys.overlord} a comment\n`;
const claim = () => ({
  signers: listed(`namespaces="file,${STATEMENT_NAMESPACE}" `),
  signature,
  principal: 'overlord',
  namespace: STATEMENT_NAMESPACE,
  message: MESSAGE,
});

it('finds who is listed with the key of a signature by ssh-keygen', () => {
  expect(principalsFor(listed(), signature)).toEqual(['overlord']);
  expect(principalsFor(`overlord ${keys.other}\n`, signature)).toEqual([]);
});

it('accepts what the listed signer signed for this purpose', () => {
  expect(isSignedBy(claim())).toBe(true);
  expect(isSignedBy({ ...claim(), signers: listed() })).toBe(true);
});

describe('refuses', () => {
  it.each([
    ['other bytes', () => ({ message: `${MESSAGE} ` })],
    ['another purpose', () => ({ namespace: 'file' })],
    ['another principal', () => ({ principal: 'ada' })],
    ['another key', () => ({ signers: `overlord ${keys.other}\n` })],
    ['a signer for another purpose', () => ({ signers: listed('namespaces="file" ') })],
    ['a signer with an option that it cannot judge', () => ({ signers: listed('valid-before="20200101" ') })],
    ['a torn signature', () => ({ signature: signature.slice(0, 120) })],
  ] as const)('%s', (_what, change) => {
    expect(isSignedBy({ ...claim(), ...change() })).toBe(false);
  });
});
