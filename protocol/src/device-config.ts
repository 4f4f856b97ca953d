import {
  Array as List,
  Boolean as Bool,
  Number as Num,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { DeviceNameSchema, RoleNameSchema, TimeSchema, VariableNameSchema } from './names.ts';

const strict = { additionalProperties: false } as const;
const AbsolutePath = Str({ pattern: '^/[^\\0\\n]*$' });
/** A ref name as git-check-ref-format(1) allows it, minus what nobody uses and a shell or git could misread. */
const RefName = Str({ pattern: '^(?!-)(?!.*(\\.\\.|//|@\\{|\\.lock$|/$))[A-Za-z0-9._/-]{1,200}$' });

const GitSchema = Obj(
  {
    /** Anything that `git` fetches from: https, http, ssh (`user@host:path` too), git, file or an absolute path. */
    url: Str({ pattern: '^(?!-)[^\\s]{1,1000}$' }),
    branch: Optional(RefName),
    tag: Optional(RefName),
    credentials: Optional(AbsolutePath),
    ssh_key: Optional(AbsolutePath),
    known_hosts: Optional(AbsolutePath),
  },
  strict,
);
const DirectorySchema = Obj({ path: AbsolutePath }, strict);
/** TLS always, but for tests and simulators on the same machine. */
const OverlordUrl = Str({
  pattern: '^(https://[^\\s/@?#]{1,255}|http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:[0-9]{1,5})?)/?$',
});
const OverlordSchema = Obj(
  {
    url: OverlordUrl,
    /** File with the certificates (PEM) that may vouch for it, and no others do. Default: those of the system. */
    ca: Optional(AbsolutePath),
  },
  strict,
);

/** The `git` source of `config.yaml`. At most one of `branch` and `tag`; default is branch `main`. */
export type GitSourceConfig = Static<typeof GitSchema>;

/** `/etc/role-agent/config.yaml`, which a person or the provisioning writes; unknown fields are typos and refused. */
export const DeviceConfigSchema = Obj(
  {
    device: Optional(DeviceNameSchema),
    role: Optional(RoleNameSchema),
    site: Optional(DeviceNameSchema),
    allowed_signers: Optional(AbsolutePath),
    vars: Optional(Record(VariableNameSchema, Union([Str({ maxLength: 4096 }), Num(), Bool()]), strict)),
    sources: List(
      // Not a union: its errors would name the fields of the alternative that was not meant.
      Obj(
        {
          overlord: Optional(OverlordSchema),
          git: Optional(GitSchema),
          directory: Optional(DirectorySchema),
        },
        { ...strict, minProperties: 1, maxProperties: 1 },
      ),
      { minItems: 1 },
    ),
  },
  strict,
);

/**
 * `/etc/role-agent/enroll.json`: the invitation that provisioning puts on a device. The enrolment deletes it when the
 * device has joined.
 */
export const EnrolFileSchema = Obj(
  {
    url: OverlordUrl,
    /** Certificates (PEM) that may vouch for the overlord, and no others do. Absent: those of the system. */
    ca: Optional(Str({ maxLength: 65_536 })),
    /** One of the two. */
    token: Optional(Str({ minLength: 20, maxLength: 200 })),
    token_file: Optional(AbsolutePath),
    name: Optional(DeviceNameSchema),
    /** When it was written: no clock of a device may be earlier. */
    issued_at: TimeSchema,
  },
  strict,
);
export type EnrolFile = Static<typeof EnrolFileSchema>;
