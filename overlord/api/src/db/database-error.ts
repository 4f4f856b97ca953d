/** What is wrong with the database. Stable: programs match on it. */
export type DatabaseErrorCode =
  /** Another overlord uses this data folder. */
  | 'database-in-use'
  /** The folder or its file system cannot be used as it is: not a folder, not writable, of another user. */
  | 'data-folder-unusable'
  | 'no-space'
  /** The data is of another major version of PostgreSQL. */
  | 'version-incompatible'
  /** npm has no PostgreSQL for this machine, or it was not installed. */
  | 'programs-missing'
  | 'start-failed'
  | 'url-invalid'
  | 'unreachable'
  | 'migration-invalid'
  | 'migration-failed'
  /** The database has migrations that this program does not know. */
  | 'database-newer';

interface Trouble {
  readonly code: DatabaseErrorCode;
  /** One sentence: what happened. */
  readonly what: string;
  /** The folder, file or server that it is about. Never with a password. */
  readonly where?: string;
  /** What the reader can do about it. */
  readonly remedy: string;
}

/** The one error of the database layer that a person is meant to read: `what (where). Remedy`. */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode;

  constructor({ code, what, where, remedy }: Trouble, options?: { cause?: unknown }) {
    super(`${what}${where === undefined ? '' : ` (${where})`}. ${remedy}`, options);
    this.name = 'DatabaseError';
    this.code = code;
  }
}
