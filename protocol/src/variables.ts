import {
  Boolean as Bool,
  Number as Num,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Union,
  type Static,
} from 'typebox';
import { digestOfJson } from './digest.ts';
import { FleetError } from './errors.ts';
import { DeviceNameSchema, RoleNameSchema, VariableNameSchema, type Digest } from './names.ts';
import type { Role, Variable } from './role.ts';

const strict = { additionalProperties: false } as const;
const VariableValue = Union([Str({ maxLength: 4096 }), Num(), Bool()]);
const VariableValues = Record(VariableNameSchema, VariableValue, strict);

/** `sites/<site>.yaml` of the fleet repo: what the devices of one place share. */
export const SiteFileSchema = Obj({ description: Optional(Str()), vars: Optional(VariableValues) }, strict);

/** `devices/<device>.yaml` of the fleet repo: what one device is, and where it differs. Wins over the site. */
export const DeviceFileSchema = Obj(
  {
    description: Optional(Str()),
    role: Optional(RoleNameSchema),
    site: Optional(DeviceNameSchema),
    vars: Optional(VariableValues),
  },
  strict,
);

export type VariableInput = Static<typeof VariableValues>;

/** Variables as Compose gets them: every value is text. */
export type Variables = Readonly<{ [name: string]: string }>;

/** One layer of values and where it came from, for messages. Later layers win. */
export interface VariableLayer {
  readonly from: string;
  readonly values: VariableInput;
}

/**
 * The values of a role's variables on one device: default, then each layer in order.
 * Values for variables that the role does not declare are passed over: a site's file serves several roles.
 * Throws `variables-invalid` on a value of the wrong type and on a required one that nobody gives; the message names
 * the variable, the layer and what would fit.
 */
export function resolveVariables(role: Role, layers: readonly VariableLayer[]): Variables {
  const declared = role.vars ?? {};
  const strongestFirst = [...layers].reverse();
  const resolved: { [name: string]: string } = {};
  for (const [name, variable] of Object.entries(declared)) {
    const layer = strongestFirst.find(({ values }) => values[name] !== undefined);
    const value = layer?.values[name] ?? variable.default;
    if (value === undefined) {
      throw problem(
        name,
        'has no value and no default',
        `Set it in sites/<site>.yaml or devices/<device>.yaml.`,
      );
    }
    const from = layer?.from ?? `roles/${role.name}/role.yaml`;
    checkValue({ name, variable, value, from });
    resolved[name] = String(value);
  }
  return resolved;
}

/** Digest of resolved variables: with the release it says what a device runs. */
export function variablesDigest(variables: Variables): Digest {
  return digestOfJson(variables);
}

interface Given {
  readonly name: string;
  readonly variable: Variable;
  readonly value: string | number | boolean;
  readonly from: string;
}

function checkValue({ name, variable, value, from }: Given): void {
  const fault = faultOf(variable, value);
  if (fault !== undefined)
    throw problem(name, `is ${JSON.stringify(value)}, ${fault}`, `Correct it in ${from}.`, from);
}

function faultOf(variable: Variable, value: string | number | boolean): string | undefined {
  if (!fitsType(variable.type, value)) return `which is not of type ${variable.type}`;
  if (variable.enum !== undefined && !variable.enum.includes(value)) {
    return `which is none of ${variable.enum.map((option) => JSON.stringify(option)).join(', ')}`;
  }
  if (variable.min !== undefined && Number(value) < variable.min) return `which is below ${variable.min}`;
  if (variable.max !== undefined && Number(value) > variable.max) return `which is above ${variable.max}`;
  if (variable.pattern !== undefined && !new RegExp(`^(?:${variable.pattern})$`, 'u').test(String(value))) {
    return `which does not match ${variable.pattern}`;
  }
  return undefined;
}

function fitsType(type: Variable['type'], value: string | number | boolean): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string' || typeof value === 'number';
    case 'int':
      return Number.isSafeInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'bool':
      return typeof value === 'boolean';
  }
}

// eslint-disable-next-line max-params -- name, fault and remedy are one sentence; `where` is optional
function problem(name: string, what: string, remedy: string, where?: string): FleetError {
  return new FleetError({
    code: 'variables-invalid',
    what: `The variable ${name} ${what}`,
    remedy,
    ...(where === undefined ? {} : { where }),
  });
}
