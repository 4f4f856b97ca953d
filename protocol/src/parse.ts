import type { Static, TSchema } from 'typebox';
import { Check, Errors } from 'typebox/schema';
import { FleetError, type ErrorCode } from './errors.ts';

export interface ParseContext {
  /** What is being parsed, for the message: a file name, a route, «the desired state». */
  readonly where: string;
  /** Code of the error that is thrown. Default `input-invalid`. */
  readonly code?: ErrorCode;
  readonly remedy?: string;
}

/**
 * The one gate at the boundary: checks a value against a schema and returns it typed.
 * Throws a FleetError that names the path of the first field that does not fit.
 */
export function parse<S extends TSchema>(schema: S, value: unknown, context: ParseContext): Static<S> {
  if (Check(schema, value)) return value;
  const [, errors] = Errors(schema, value);
  const { path, message } = firstError(errors);
  throw new FleetError({
    code: context.code ?? 'input-invalid',
    what: `${path === '' ? 'The document' : path} ${message}`,
    where: context.where,
    ...(context.remedy === undefined ? {} : { remedy: context.remedy }),
  });
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/**
 * An unknown field is named first (it is a typo, and often the reason why another one is missing), then a missing one, and unions are reported by their innermost error:
 * «/health/within must match pattern» helps, «must match anyOf» does not.
 */
function firstError(errors: readonly SchemaError[]): { path: string; message: string } {
  const unknown = errors.find((error) => error.keyword === 'additionalProperties');
  const missing = errors.find((error) => error.keyword === 'required');
  const specific = errors.find((error) => !['anyOf', 'boolean'].includes(error.keyword));
  const error = unknown ?? missing ?? specific ?? errors[0];
  if (error === undefined) return { path: '', message: 'does not fit the schema' };
  const names = [...Object.values(error.params)].flat().filter((name) => typeof name === 'string');
  if (error.keyword === 'additionalProperties') {
    return { path: error.instancePath, message: `has a field that is not known: ${names.join(', ')}` };
  }
  if (error.keyword === 'required') return { path: error.instancePath, message: `lacks ${names.join(', ')}` };
  return { path: error.instancePath, message: error.message };
}
