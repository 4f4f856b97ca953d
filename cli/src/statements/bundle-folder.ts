import {
  contentDigest,
  findPrincipalsArgv,
  FleetError,
  packBundle,
  parseStatement,
  principalsOf,
  unpackBundle,
  verifyStatementArgv,
  type Statement,
} from '@metrica-fleet/protocol';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { exec } from '../exec.ts';
import type { RoleAtCommit } from '../roles/role-at-commit.ts';
import type { SignedStatement } from './statements-ref.ts';

/** Names inside `<folder>/<role>/`, as the agent's directory source reads them. */
const FILES = {
  statement: 'statement.json',
  signature: 'statement.json.sig',
  bundle: 'bundle.tar.gz',
} as const;

/** Writes a role's bundle with its statement into `<out>/<role>/` and returns that folder. The statement comes last. */
export async function writeBundleFolder(
  out: string,
  role: RoleAtCommit,
  { text, signature }: SignedStatement,
): Promise<string> {
  const folder = join(out, role.role);
  await mkdir(folder, { recursive: true });
  const bundle = join(folder, FILES.bundle);
  await pipeline(packBundle(role.manifest, role.read), createWriteStream(`${bundle}.part`));
  await rename(`${bundle}.part`, bundle);
  await writeFile(join(folder, FILES.signature), signature);
  await writeFile(join(folder, FILES.statement), text);
  return folder;
}

/**
 * Checks a bundle as a device would: the signature, then the manifest against the statement, then every byte.
 * `folder` is `<out>/<role>`. Throws `statement-invalid`, `manifest-mismatch`, `bundle-invalid` and their like.
 */
export async function verifyBundleFolder(folder: string, signers: string): Promise<Statement> {
  const file = (name: string): string => join(folder, name);
  await requireFiles([signers, ...Object.values(FILES).map(file)]);
  const text = await readFile(file(FILES.statement), 'utf8');
  await verifySignature({ text, signature: file(FILES.signature), signers });
  const statement = parseStatement(text, file(FILES.statement));
  await unpackBundle({
    from: createReadStream(file(FILES.bundle)) as AsyncIterable<Uint8Array>,
    where: file(FILES.bundle),
    onManifest(manifest) {
      if (contentDigest(manifest) === statement.digest && manifest.role === statement.role) return;
      throw new FleetError({
        code: 'manifest-mismatch',
        what: 'The bundle is not the one that its statement is about',
        where: file(FILES.bundle),
      });
    },
    async onFile(_file, content) {
      for await (const _chunk of content);
    },
    onLink: () => undefined,
  });
  return statement;
}

interface Signature {
  readonly text: string;
  readonly signature: string;
  readonly signers: string;
}

async function verifySignature({ text, signature, signers }: Signature): Promise<void> {
  const found = await exec({ argv: findPrincipalsArgv({ signers, signature }), accept: [1, 255] });
  for (const principal of found.code === 0 ? principalsOf(found.stdout.toString('utf8')) : []) {
    const argv = verifyStatementArgv({ signers, signature }, principal);
    const { code } = await exec({ argv, input: text, accept: [1, 255] });
    if (code === 0) return;
  }
  throw new FleetError({
    code: 'statement-invalid',
    what: 'None of the allowed signers made this signature',
    where: signature,
    remedy: `List the signer's public key in ${signers}, or export the bundle again.`,
  });
}

async function requireFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await access(path);
    } catch (error) {
      throw new FleetError(
        { code: 'input-invalid', what: 'There is no such file', where: path },
        { cause: error },
      );
    }
  }
}
