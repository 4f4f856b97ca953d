import type { ProblemDetails } from '@metrica-fleet/protocol/api';

/** A call that failed: what happened in one sentence, and what to do, as the overlord says it. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  readonly remedy: string | undefined;

  constructor(details: ProblemDetails) {
    super(details.detail ?? details.title);
    this.status = details.status;
    this.code = details.code;
    this.field = details.field;
    this.remedy = details.remedy;
  }

  /** Nothing came back: no network, or the overlord is down. Status 0. */
  static unreachable(): ApiProblem {
    return new ApiProblem({
      type: 'about:blank',
      title: 'unreachable',
      status: 0,
      code: 'unreachable',
      detail: 'The overlord did not answer.',
      remedy: 'Devices keep running what they have. Check your network, and that the overlord is up.',
    });
  }
}

/** True when nobody is signed in (any more). */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401;
}

/** The problem in a response that is not ok; says so when a proxy answered in the overlord's place. */
export async function readProblem(response: Response): Promise<ApiProblem> {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/problem+json')) {
    return new ApiProblem((await response.json()) as ProblemDetails);
  }
  return new ApiProblem({
    type: 'about:blank',
    title: response.statusText,
    status: response.status,
    code: 'not-the-overlord',
    detail:
      `Something in front of the overlord answered ${response.status} ${response.statusText}`.trim() + '.',
    remedy: 'Look at the proxy, if there is one, and at the log of the overlord.',
  });
}
