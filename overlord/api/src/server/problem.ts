import { describeProblem, FleetError } from '@metrica-fleet/protocol';
import { HTTP_CODES, type HttpCode, type ProblemDetails } from '@metrica-fleet/protocol/api';
import type { FastifyError } from 'fastify';
import { ApiError } from './api-error.ts';

/** An error as it goes out. `ours` is true when it is our bug, to be logged with its stack and told without it. */
export interface Told {
  readonly details: ProblemDetails;
  readonly ours: boolean;
}

/** Fastify's own errors that are the caller's doing, by their code. */
const FASTIFY_CODES: Readonly<Record<string, readonly [HttpCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', 'The body is larger than this route takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['bad-request', 'The body must be application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['bad-request', 'The body is empty, and must be JSON'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['bad-request', 'The body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'bad-request',
    'The body does not have the length that its header says',
  ],
};

/** What PostgreSQL says to a text that is no uuid or number, or no time (SQLSTATE): a cursor that somebody made up. */
const INVALID_TEXT: ReadonlySet<unknown> = new Set(['22P02', '22007', '22008']);

/** Anything thrown below a route, in the words of RFC 9457. The one place where errors become HTTP. */
export function tell(thrown: unknown): Told {
  if (thrown instanceof ApiError)
    return { details: detailsOf(thrown.code, thrown.message, thrown), ours: false };
  if (thrown instanceof FleetError) {
    return { details: detailsOf('bad-request', describeProblem(thrown.problem), {}), ours: false };
  }
  const error = thrown as Partial<FastifyError>;
  if (error.validation !== undefined) return { details: invalid(error), ours: false };
  const known = FASTIFY_CODES[error.code ?? ''];
  if (known !== undefined) return { details: detailsOf(known[0], known[1], {}), ours: false };
  if (error.statusCode === 429) {
    return {
      details: detailsOf('rate-limited', 'Too many tries from this address', { remedy: 'Wait a minute.' }),
      ours: false,
    };
  }
  if (INVALID_TEXT.has(error.code)) {
    return {
      details: detailsOf('bad-request', 'A value in the request is not of its type', {}),
      ours: false,
    };
  }
  const remedy = 'This is our bug; the log of the overlord says more.';
  return { details: detailsOf('internal-error', 'The overlord failed', { remedy }), ours: true };
}

/** The answer to a call that does not match its schema: which part, which field, what would fit. */
function invalid({ validation, validationContext }: Partial<FastifyError>): ProblemDetails {
  const first = validation?.[0];
  const part = validationContext ?? 'body';
  const missing = first?.params?.['requiredProperties'] as readonly string[] | undefined;
  const field = `${first?.instancePath ?? ''}${missing === undefined ? '' : `/${missing[0]}`}`;
  const what = missing === undefined ? (first?.message ?? 'is not valid') : 'is missing';
  return detailsOf('bad-request', `In the ${part}, ${field === '' ? 'the value' : field} ${what}`, {
    field,
    remedy: 'The API reference at /api/docs says what fits.',
  });
}

interface Extra {
  readonly field?: string | undefined;
  readonly remedy?: string | undefined;
}

function detailsOf(code: HttpCode, detail: string, { field, remedy }: Extra): ProblemDetails {
  return {
    type: 'about:blank',
    title: code.replaceAll('-', ' '),
    status: HTTP_CODES[code],
    code,
    detail: `${detail.replace(/\.$/, '')}.`,
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}
