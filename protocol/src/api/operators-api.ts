import {
  Boolean as Bool,
  Enum,
  Integer,
  Null,
  Object as Obj,
  Optional,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { IdSchema, TimeSchema } from '../names.ts';
import { OPERATOR_ROLES } from './principals.ts';

const orNull = <S extends Parameters<typeof Union>[0][number]>(schema: S) => Union([schema, Null()]);
const OperatorRoleSchema = Enum(OPERATOR_ROLES);
const OperatorName = Str({ minLength: 1, maxLength: 64, pattern: '^[^\\s@][^\\n]*$' });
/** Long enough to resist guessing (NIST SP 800-63B asks for 8, and for no rules about characters). */
const Password = Str({ minLength: 10, maxLength: 256 });

export const OperatorSchema = Obj({
  id: IdSchema,
  name: OperatorName,
  role: OperatorRoleSchema,
  disabled: Bool(),
  createdAt: TimeSchema,
  lastSeenAt: orNull(TimeSchema),
});
export type Operator = Static<typeof OperatorSchema>;

/** The one-time link of the first start leads here; works once, and only while there is no admin. */
export const CreateFirstAdminSchema = Obj({
  token: Str({ maxLength: 200 }),
  name: OperatorName,
  password: Password,
});
export const SignInSchema = Obj({ name: Str({ maxLength: 64 }), password: Str({ maxLength: 256 }) });

/** Who is asking. `csrf` goes into the header `x-csrf-token` of every changing request that carries the session cookie. */
export const MeSchema = Obj({ id: IdSchema, name: Str(), role: OperatorRoleSchema, csrf: orNull(Str()) });
export type Me = Static<typeof MeSchema>;

export const CreateOperatorSchema = Obj({ name: OperatorName, role: OperatorRoleSchema, password: Password });
export const UpdateOperatorSchema = Obj({
  role: Optional(OperatorRoleSchema),
  disabled: Optional(Bool()),
  password: Optional(Password),
});

/** A token of an operator, for programs: may what its role says, never more than its owner. */
export const ApiTokenSchema = Obj({
  id: IdSchema,
  name: Str(),
  role: OperatorRoleSchema,
  /** True: good for `/metrics` and nothing else. */
  monitoring: Bool(),
  createdAt: TimeSchema,
  expiresAt: orNull(TimeSchema),
  lastUsedAt: orNull(TimeSchema),
});
export type ApiToken = Static<typeof ApiTokenSchema>;
export const CreateApiTokenSchema = Obj({
  name: Str({ minLength: 1, maxLength: 100 }),
  role: OperatorRoleSchema,
  monitoring: Optional(Bool()),
  /** Days; absent: does not expire. */
  days: Optional(Integer({ minimum: 1, maximum: 3_650 })),
});
/** The only time that the token itself is shown. */
export const CreatedApiTokenSchema = Obj({ apiToken: ApiTokenSchema, token: Str() });

export const AuditEntrySchema = Obj({
  id: Str(),
  at: TimeSchema,
  /** Name of the operator, or `overlord` for what it does by itself. */
  actor: Str(),
  action: Str(),
  /** What it was done to, as `device:front-door`. */
  subject: Str(),
  detail: orNull(Str()),
  address: orNull(Str()),
});
export type AuditEntry = Static<typeof AuditEntrySchema>;
