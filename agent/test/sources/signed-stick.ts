import {
  contentDigest,
  digestOf,
  manifestOf,
  packBundle,
  signStatementArgv,
  statementBytes,
  type Manifest,
  type ManifestEntry,
  type Statement,
} from '@metrica-fleet/protocol';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

/** A key of ssh-keygen and the allowed_signers file that lists it. */
export interface Signer {
  readonly key: string;
  readonly signers: string;
}

export function makeSigner(folder: string, name = 'ci@example.org'): Signer {
  mkdirSync(folder, { recursive: true });
  const key = join(folder, `key-${name.replace(/\W/g, '-')}`);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const [type, bytes] = readFileSync(`${key}.pub`, 'utf8').split(' ');
  const signers = `${key}.allowed`;
  writeFileSync(signers, `${name} namespaces="release@metrica-fleet" ${type} ${bytes}\n`);
  return { key, signers };
}

export function sign(key: string, text: string): string {
  const [program, ...args] = signStatementArgv(key);
  return execFileSync(program, args, { input: text, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
}

export const COMMIT = 'c'.repeat(40);

/** The files of a small role, and its manifest. */
export const ROLE_FILES: Readonly<Record<string, string>> = {
  'compose.yaml': 'services:\n  page:\n    image: nginx:1\n',
  'page/index.html': '<h1>hello</h1>\n',
  'role.yaml': 'name: web\n',
  'run.sh': '#!/bin/sh\n',
};

function manifestFor(files: Readonly<Record<string, string>>, links: ManifestEntry[] = []): Manifest {
  const entries = Object.entries(files).map(([path, text]) => ({
    path,
    mode: path.endsWith('.sh') ? ('0755' as const) : ('0644' as const),
    size: Buffer.byteLength(text),
    sha256: digestOf(text),
  }));
  return manifestOf('web', [...entries, ...links]);
}

export interface StickContent {
  readonly key: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly statement?: Partial<Statement>;
}

/** Writes `<folder>/web/` as `fleet bundle export` does, and returns what the statement says. */
export async function fillStick(folder: string, content: StickContent): Promise<Statement> {
  const files = content.files ?? ROLE_FILES;
  const manifest = manifestFor(files, [{ path: 'start', link: 'run.sh' }]);
  const statement: Statement = {
    schemaVersion: 1,
    role: 'web',
    commit: COMMIT,
    digest: contentDigest(manifest),
    counter: 1,
    time: '2026-01-01T00:00:00Z',
    ...content.statement,
  };
  const text = statementBytes(statement);
  const at = (name: string): string => join(folder, 'web', name);
  mkdirSync(join(folder, 'web'), { recursive: true });
  writeFileSync(at('statement.json'), text);
  writeFileSync(at('statement.json.sig'), sign(content.key, text));
  const bundle = packBundle(manifest, (path) => Promise.resolve(Buffer.from(files[path] ?? '')));
  writeFileSync(at('bundle.tar.gz'), await buffer(bundle));
  return statement;
}
