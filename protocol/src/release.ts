import { Integer, Literal, Object as Obj, Optional, Record, String as Str, type Static } from 'typebox';
import { canonicalJson } from './digest.ts';
import { CommitSchema, DigestSchema, RoleNameSchema, TimeSchema } from './names.ts';

/** A release: one role at one commit. `digest` is its content digest. */
export const ReleaseSchema = Obj({ role: RoleNameSchema, commit: CommitSchema, digest: DigestSchema });
export type Release = Static<typeof ReleaseSchema>;

/**
 * What a release statement says, signed in OpenSSH's format under the namespace below. `counter` grows with every
 * statement for a role and may not go below what a device has accepted, so that an old release cannot be replayed;
 * an operator's rollback is a new statement. `images` maps image references to digests per architecture.
 */
export const StatementSchema = Obj({
  schemaVersion: Literal(1),
  role: RoleNameSchema,
  commit: CommitSchema,
  digest: DigestSchema,
  counter: Integer({ minimum: 1 }),
  time: TimeSchema,
  images: Optional(Record(Str(), Record(Str(), Str({ pattern: '^sha256:[0-9a-f]{64}$' })))),
});
export type Statement = Static<typeof StatementSchema>;

/** Namespace of the OpenSSH signature (`ssh-keygen -Y sign -n`): a signature made for anything else does not count. */
export const STATEMENT_NAMESPACE = 'release@metrica-fleet';

/** The bytes that are signed. */
export function statementBytes(statement: Statement): string {
  return `${canonicalJson(statement)}\n`;
}

/** Where statements for a Git-only fleet live: a ref beside the branches, with `<role>/<content digest>.json` and `.json.sig`. */
export const STATEMENTS_REF = 'refs/fleet/statements';
