import {
  Array as List,
  Enum,
  Integer,
  Null,
  Object as Obj,
  Optional,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { CommitSchema, DigestSchema, IdSchema, RoleNameSchema, TimeSchema } from '../names.ts';
import { PageQuery } from './paging.ts';

/** `ready` may roll out; `refused` has errors of lint and is kept, shown and never offered. */
export const RELEASE_STATES = ['ready', 'refused'] as const;

export const ReleaseSummarySchema = Obj({
  id: IdSchema,
  role: RoleNameSchema,
  commit: CommitSchema,
  /** Null for a release that was refused before it had a content digest. */
  digest: Union([DigestSchema, Null()]),
  state: Enum(RELEASE_STATES),
  /** First line of the commit's message. */
  subject: Str(),
  author: Str(),
  committedAt: TimeSchema,
  createdAt: TimeSchema,
  errors: Integer({ minimum: 0 }),
  warnings: Integer({ minimum: 0 }),
  /** Devices that run it now. */
  devices: Integer({ minimum: 0 }),
});
export type ReleaseSummary = Static<typeof ReleaseSummarySchema>;

export const ReleaseDetailSchema = Obj({
  ...ReleaseSummarySchema.properties,
  message: Str(),
  bundleBytes: Union([Integer({ minimum: 0 }), Null()]),
  files: List(Obj({ path: Str(), size: Integer({ minimum: 0 }) })),
  findings: List(
    Obj({
      rule: Str(),
      severity: Enum(['error', 'warning']),
      where: Str(),
      what: Str(),
      remedy: Optional(Str()),
    }),
  ),
});
export type ReleaseDetail = Static<typeof ReleaseDetailSchema>;

export const ReleasesQuerySchema = Obj({ ...PageQuery, role: Optional(RoleNameSchema) });

/** The fleet's Git repo as the overlord sees it. */
export const RepositorySchema = Obj({
  /** Without credentials. */
  url: Union([Str(), Null()]),
  branch: Str(),
  head: Union([CommitSchema, Null()]),
  fetchedAt: Union([TimeSchema, Null()]),
  problem: Union([Str(), Null()]),
  roles: List(RoleNameSchema),
});
export type Repository = Static<typeof RepositorySchema>;
