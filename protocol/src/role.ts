import {
  Array as List,
  Boolean as Bool,
  Enum,
  Integer,
  Literal,
  Number as Num,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { DurationSchema } from './duration.ts';
import { RoleNameSchema, VariableNameSchema } from './names.ts';

const strict = { additionalProperties: false } as const;
const RelativePath = Str({ pattern: '^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\0]{1,255}$' });
const FileMode = Str({ pattern: '^0[0-7]{3}$' });
const Size = Str({ pattern: '^[1-9][0-9]*(Mi|Gi|M|G)$' });
const Scalar = Union([Str({ maxLength: 4096 }), Num(), Bool()]);

/** One variable of a role: what may differ between its devices. A variable without default must be given by a site or a device. */
export const VariableSchema = Obj(
  {
    type: Union([Literal('string'), Literal('int'), Literal('number'), Literal('bool')]),
    description: Optional(Str()),
    default: Optional(Scalar),
    enum: Optional(List(Scalar, { minItems: 1 })),
    pattern: Optional(Str()),
    min: Optional(Num()),
    max: Optional(Num()),
  },
  strict,
);
export type Variable = Static<typeof VariableSchema>;

/** A probe of the health gate, run by the agent: HTTP answers 2xx or 3xx, TCP accepts, exec exits 0 inside the service. */
export const ProbeSchema = Union([
  Obj({ http: Str({ pattern: '^https?://[^\\s]+$' }) }, strict),
  Obj({ tcp: Str({ pattern: '^[^\\s:]+:[0-9]{1,5}$' }) }, strict),
  Obj({ exec: List(Str({ minLength: 1 }), { minItems: 2 }) }, strict),
]);
export type Probe = Static<typeof ProbeSchema>;

/** `role.yaml`: what the agent must know about a role beyond its Compose file. Defaults are in ROLE_DEFAULTS. */
export const RoleSchema = Obj(
  {
    name: RoleNameSchema,
    description: Optional(Str({ maxLength: 500 })),
    update_interval: Optional(DurationSchema),
    signals: Optional(Union([Literal('sse'), Literal('mqtt'), Literal('off')])),
    heartbeat: Optional(DurationSchema),
    requires: Optional(
      Obj(
        {
          arch: Optional(
            List(Union([Literal('arm64'), Literal('armhf'), Literal('amd64')]), { minItems: 1 }),
          ),
          models: Optional(List(Str(), { minItems: 1 })),
          memory: Optional(Size),
          disk: Optional(Size),
          devices: Optional(List(Str({ pattern: '^/dev/' }))),
        },
        strict,
      ),
    ),
    vars: Optional(Record(VariableNameSchema, VariableSchema, strict)),
    secrets: Optional(
      Record(
        VariableNameSchema,
        Obj({ uid: Optional(Integer({ minimum: 0 })), mode: Optional(FileMode) }, strict),
        strict,
      ),
    ),
    state: Optional(
      List(
        Obj(
          {
            path: RelativePath,
            owner: Optional(Integer({ minimum: 0 })),
            mode: Optional(FileMode),
            seed: Optional(RelativePath),
          },
          strict,
        ),
      ),
    ),
    one_shots: Optional(List(Str({ minLength: 1 }))),
    health: Optional(
      Obj(
        {
          within: Optional(DurationSchema),
          stable_for: Optional(DurationSchema),
          probes: Optional(List(ProbeSchema, { maxItems: 20 })),
        },
        strict,
      ),
    ),
    update: Optional(
      Obj(
        {
          window: Optional(
            Obj(
              {
                days: Optional(List(Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))),
                start: Str({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
                end: Str({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
                timezone: Optional(Str()),
                or_next_boot: Optional(Bool()),
              },
              strict,
            ),
          ),
          strategy: Optional(Union([Literal('recreate'), Literal('stop-first')])),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type Role = Static<typeof RoleSchema>;

/** What holds where `role.yaml` is silent. Mains-powered roles may ask for 60 s; a battery role for `signals: off` and 1 h. */
export const ROLE_DEFAULTS = {
  updateInterval: '5m',
  signals: 'sse',
  heartbeat: '2m',
  healthWithin: '90s',
  healthStableFor: '15s',
  stateMode: '0755',
} as const;

/** The declared state that a path of the role belongs to (`data/db` belongs to `data`), or undefined. */
export function stateFor(role: Role, path: string): NonNullable<Role['state']>[number] | undefined {
  return role.state?.find((state) => path === state.path || path.startsWith(`${state.path}/`));
}
