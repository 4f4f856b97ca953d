import { FleetError } from './errors.ts';
import { parse } from './parse.ts';
import { refuseNewer } from './version.ts';
import { STATEMENT_NAMESPACE, StatementSchema, type Statement } from './release.ts';

/** No honest statement is larger, image digests included. Bytes. */
export const STATEMENT_LIMIT = 256 * 1024;

/**
 * Command line that signs what comes on standard input and prints the signature (`.sig`, PEM-like text).
 * `key` is the path of a private key, or of a public one whose private half is in ssh-agent or a hardware key.
 */
export function signStatementArgv(key: string): [string, ...string[]] {
  return ['ssh-keygen', '-Y', 'sign', '-q', '-f', key, '-n', STATEMENT_NAMESPACE, '-'];
}

export interface Verification {
  /** Path of the `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS). */
  readonly signers: string;
  /** Path of the signature. */
  readonly signature: string;
}

/** Command line that prints who could have made a signature, one principal list a line; exit 1 when nobody listed did. */
export function findPrincipalsArgv({ signers, signature }: Verification): [string, ...string[]] {
  return ['ssh-keygen', '-Y', 'find-principals', '-f', signers, '-s', signature];
}

/** Command line that verifies the bytes on standard input; exit 0 when `principal` signed exactly them, for us. */
export function verifyStatementArgv(
  { signers, signature }: Verification,
  principal: string,
): [string, ...string[]] {
  const of = ['-I', principal, '-n', STATEMENT_NAMESPACE];
  return ['ssh-keygen', '-Y', 'verify', '-f', signers, '-s', signature, ...of];
}

/**
 * The principals in what `find-principals` prints: one a line; `verify` takes one, not a list (tried with OpenSSH
 * 9.2). A wildcard (`*@example.org`) matches itself.
 */
export function principalsOf(output: string): string[] {
  return output
    .split(/[\n,]/)
    .map((principal) => principal.trim())
    .filter((principal) => principal !== '' && !principal.startsWith('!') && !principal.startsWith('-'));
}

/**
 * Parses the text of a statement. Says nothing about who wrote it. Throws `statement-invalid`, or
 * `version-unsupported` for a newer format; `where` names the file in errors.
 */
export function parseStatement(text: string, where: string): Statement {
  if (Buffer.byteLength(text) > STATEMENT_LIMIT) throw invalid('is far too large', where);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('is not JSON', where);
  }
  refuseNewer(value, where);
  return parse(StatementSchema, value, { where, code: 'statement-invalid' });
}

function invalid(what: string, where: string): FleetError {
  return new FleetError({ code: 'statement-invalid', what: `The release statement ${what}`, where });
}
