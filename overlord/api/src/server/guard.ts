import { mayCall, type Principal } from '@metrica-fleet/protocol/api';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import type { Caller } from './handler.ts';

/** Finds out who calls. Each looks at one kind of proof and answers null when it is not there; throws when it is bad. */
export type Identify = (request: FastifyRequest) => Promise<Caller | null>;

/** Who calls, for a route that wants `principal`. Throws `unauthenticated` and `not-allowed`. */
export async function admit(
  request: FastifyRequest,
  principal: Principal,
  identify: readonly Identify[],
): Promise<Caller> {
  if (principal === 'public') return { kind: 'public' };
  for (const look of identify) {
    const caller = await look(request);
    if (caller === null) continue;
    const shown: Principal = caller.kind === 'operator' ? caller.role : caller.kind;
    if (!mayCall(shown, principal)) {
      throw new ApiError('not-allowed', `This is for ${nameOf(principal)}; you are ${nameOf(shown)}`, {
        remedy: principal === 'admin' ? 'Ask an admin.' : 'Use a proof of the right kind.',
      });
    }
    if (caller.kind === 'operator' && caller.csrf !== null) refuseForgery(request, caller.csrf);
    return caller;
  }
  throw new ApiError('unauthenticated', 'Nothing was shown that says who is calling', {
    remedy: 'Sign in, or send `Authorization: Bearer <token>`.',
  });
}

const NAMES: Readonly<Record<Principal, string>> = {
  public: 'anybody',
  device: 'a device',
  viewer: 'a viewer',
  operator: 'an operator',
  admin: 'an admin',
  monitoring: 'monitoring',
};

function nameOf(principal: Principal): string {
  return NAMES[principal];
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A cookie travels with what other sites make a browser send, so a change needs two more things that they cannot have:
 * our own origin and the token of the session (OWASP, Cross-Site Request Forgery Prevention).
 */
function refuseForgery(request: FastifyRequest, csrf: string): void {
  if (SAFE.has(request.method)) return;
  const { origin, host } = request.headers;
  if (origin !== undefined && URL.canParse(origin) && new URL(origin).host !== host) {
    throw new ApiError('not-allowed', `A page of ${origin} may not change anything here`);
  }
  if (request.headers['x-csrf-token'] !== csrf) {
    throw new ApiError('not-allowed', 'The request lacks the token of the session', {
      remedy: 'Send `csrf` of GET /api/v1/me in the header x-csrf-token.',
    });
  }
}
