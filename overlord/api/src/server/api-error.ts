import { HTTP_CODES, type HttpCode } from '@metrica-fleet/protocol/api';

export interface ApiErrorOptions {
  /** JSON pointer of the field that is wrong. */
  readonly field?: string;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An answer that is an error. Thrown anywhere below a route; server.ts turns it into `application/problem+json`. */
export class ApiError extends Error {
  readonly code: HttpCode;
  readonly status: number;
  readonly field: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: HttpCode, what: string, { field, remedy, cause }: ApiErrorOptions = {}) {
    super(what, { cause });
    this.name = 'ApiError';
    this.code = code;
    this.status = HTTP_CODES[code];
    this.field = field;
    this.remedy = remedy;
  }
}
