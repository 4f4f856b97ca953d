import { Integer, Object as Obj, Optional, String as Str, type Static } from 'typebox';

/** Codes of errors that only an HTTP API has, with their status. Stable, as those of ERROR_CODES are. */
export const HTTP_CODES = {
  'bad-request': 400,
  unauthenticated: 401,
  'not-allowed': 403,
  'device-revoked': 403,
  'not-found': 404,
  conflict: 409,
  'token-used': 409,
  'precondition-failed': 412,
  'too-large': 413,
  'range-not-satisfiable': 416,
  'rate-limited': 429,
  'internal-error': 500,
  unavailable: 503,
} as const;
export type HttpCode = keyof typeof HTTP_CODES;

/** The body of every error: `application/problem+json` (RFC 9457) with a stable `code`. */
export const ProblemDetailsSchema = Obj({
  type: Str(),
  title: Str(),
  status: Integer(),
  code: Str(),
  detail: Optional(Str()),
  /** JSON pointer of the field that is wrong. */
  field: Optional(Str()),
  remedy: Optional(Str()),
});
export type ProblemDetails = Static<typeof ProblemDetailsSchema>;
