import { createHash, randomBytes } from 'node:crypto';

/** What a token begins with, so that people, and scanners of leaked secrets, see what it is for. */
export type TokenKind = 'mfs' | 'mft' | 'mfi' | 'mfe';

/** A token that cannot be guessed: 256 random bits behind a prefix (session, API token, invitation, enrolment). */
export function makeToken(kind: TokenKind): string {
  return `${kind}_${randomBytes(32).toString('base64url')}`;
}

/** How a token is kept. A plain digest is enough: there is nothing to guess in 256 random bits. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
