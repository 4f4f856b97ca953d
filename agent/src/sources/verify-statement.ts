import {
  findPrincipalsArgv,
  FleetError,
  parseStatement,
  principalsOf,
  verifyStatementArgv,
  type Statement,
} from '@metrica-fleet/protocol';
import { join } from 'node:path';
import type { Fetched } from './source.ts';
import type { SourceContext } from './sources.ts';

/** Milliseconds for one ssh-keygen; it computes one signature check. */
const DEADLINE = 30_000;

export interface Signed {
  readonly statement: NonNullable<Fetched['statement']>;
  /** The allowed_signers file. Null is `signers-missing`: a signature counts only when somebody said whose. */
  readonly signers: string | null;
  /** Names the statement in errors. */
  readonly where: string;
}

/**
 * Checks that one of the allowed signers signed exactly these bytes as a release statement, with `ssh-keygen -Y`, and
 * only then reads what they say. Throws `signers-missing` and `statement-invalid`.
 */
export async function verifyStatement(context: SourceContext, signed: Signed): Promise<Statement> {
  const { disk, exec } = context.ports;
  const { statement, where } = signed;
  const signers = await requireSigners(context, signed.signers);
  // ssh-keygen reads the signature from a file only; /run is memory.
  const signature = join(context.paths.run.dir, 'statement.sig');
  await disk.write('statement.signature', signature, { content: statement.signature, mode: 0o600 });
  try {
    const found = await exec.run({
      label: 'statement.find-principals',
      argv: findPrincipalsArgv({ signers, signature }),
      deadline: DEADLINE,
    });
    for (const principal of found.code === 0 ? principalsOf(found.stdout.toString('utf8')) : []) {
      const { code } = await exec.run({
        label: 'statement.verify',
        argv: verifyStatementArgv({ signers, signature }, principal),
        input: statement.text,
        deadline: DEADLINE,
      });
      if (code === 0) return parseStatement(statement.text, where);
    }
    throw refused(
      found.code === 0 ? 'does not belong to it, or not to a release' : 'is by nobody listed',
      signed,
    );
  } finally {
    await disk.remove('statement.forget', signature);
  }
}

async function requireSigners({ ports }: SourceContext, signers: string | null): Promise<string> {
  if (signers !== null && (await ports.disk.stat(signers)) !== null) return signers;
  throw new FleetError({
    code: 'signers-missing',
    what:
      signers === null
        ? 'The release is signed, or has to be, but config.yaml names no allowed_signers'
        : 'The file with the allowed signers does not exist',
    where: signers ?? 'config.yaml',
    remedy: 'List who may sign releases there, as in ssh-keygen(1), ALLOWED SIGNERS.',
  });
}

function refused(what: string, { signers, where }: Signed): FleetError {
  return new FleetError({
    code: 'statement-invalid',
    what: `The signature of the release statement ${what}`,
    where,
    remedy: `Sign the release with a key that ${signers ?? 'allowed_signers'} lists: \`fleet release sign\`.`,
  });
}
