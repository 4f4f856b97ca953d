import {
  signStatementArgv,
  statementBytes,
  STATEMENT_NAMESPACE,
  type Statement,
} from '@metrica-fleet/protocol';
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vault } from '../keys/vault.ts';

/** Signs release statements with the overlord's own key. */
export interface Signer {
  /** For the devices' `allowed_signers` (ssh-keygen(1)): our key, for releases and nothing else. */
  readonly allowedSigners: string;
  sign(statement: Statement): Promise<{ readonly text: string; readonly signature: string }>;
}

/** Milliseconds for one ssh-keygen; it computes one signature. */
const DEADLINE = 30_000;
const PRINCIPAL = 'overlord';
/** Without `cleanup`: that would end us by a signal that we are stopping in order for. */
const RUN = { timeout: DEADLINE, cleanup: false } as const;

/** The overlord's signing key, made at the first start. It is in a file only while ssh-keygen looks at it. */
export async function openSigner(vault: Vault): Promise<Signer> {
  const key = await vault.secret('release-signing', makeKey);
  const publicKey = await withKeyFile(key, async (path) => {
    const { stdout } = await execa('ssh-keygen', ['-y', '-f', path], RUN);
    return stdout.split(' ').slice(0, 2).join(' ');
  });
  return {
    allowedSigners: `${PRINCIPAL} namespaces="${STATEMENT_NAMESPACE}" ${publicKey}\n`,
    async sign(statement) {
      const text = statementBytes(statement);
      const signature = await withKeyFile(key, async (path) => {
        const [program, ...args] = signStatementArgv(path);
        const options = { ...RUN, input: text, stripFinalNewline: false } as const;
        return (await execa(program, args, options)).stdout;
      });
      return { text, signature };
    },
  };
}

async function makeKey(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-key-'));
  try {
    const path = join(folder, 'key');
    const args = ['-q', '-t', 'ed25519', '-N', '', '-C', PRINCIPAL, '-f', path];
    await execa('ssh-keygen', args, RUN);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** ssh-keygen takes keys from files only: a private one in a private folder, gone afterwards. */
async function withKeyFile<T>(key: Buffer, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-key-'));
  try {
    const path = join(folder, 'key');
    await writeFile(path, key, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
