import {
  contentDigest,
  FleetError,
  signStatementArgv,
  statementBytes,
  type Statement,
} from '@metrica-fleet/protocol';
import { access } from 'node:fs/promises';
import { exec } from '../exec.ts';
import type { RoleAtCommit } from '../roles/role-at-commit.ts';
import { lastCounter, recordStatement, type SignedStatement } from './statements-ref.ts';

export interface Signing {
  readonly repo: string;
  readonly role: RoleAtCommit;
  /** Path of the key, never the key itself. */
  readonly key: string;
  /** Default: one more than the highest that the repo knows for this role. */
  readonly counter?: number;
}

/**
 * Makes a statement about a role at a commit, signs it with `ssh-keygen -Y sign` and records it in the repo, so that
 * the next counter is higher. Throws `input-invalid` for a key that is not there or a counter that has been used.
 */
export async function signRelease({ repo, role, key, counter }: Signing): Promise<SignedStatement> {
  await requireKey(key);
  const last = await lastCounter(repo, role.role);
  if (counter !== undefined && counter <= last) throw usedCounter(counter, last, role.role);
  const statement: Statement = {
    schemaVersion: 1,
    role: role.role,
    commit: role.commit,
    digest: contentDigest(role.manifest),
    counter: counter ?? last + 1,
    time: `${new Date().toISOString().slice(0, 19)}Z`,
  };
  const text = statementBytes(statement);
  const { stdout } = await exec({ argv: signStatementArgv(key), input: text });
  const signed = { statement, text, signature: stdout.toString('utf8') };
  await recordStatement(repo, signed);
  return signed;
}

async function requireKey(key: string): Promise<void> {
  try {
    await access(key);
  } catch (error) {
    throw new FleetError(
      {
        code: 'input-invalid',
        what: 'There is no key file',
        where: key,
        remedy:
          'Make one with `ssh-keygen -t ed25519 -f KEY`, and list KEY.pub in the devices’ allowed_signers.',
      },
      { cause: error },
    );
  }
}

// eslint-disable-next-line max-params -- the three words of the sentence that it makes
function usedCounter(counter: number, last: number, role: string): FleetError {
  return new FleetError({
    code: 'input-invalid',
    what: `The counter ${counter} is not above ${last}, which ${role} has had`,
    where: '--counter',
    remedy: `Leave --counter out, or give ${last + 1}.`,
  });
}
