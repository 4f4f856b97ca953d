import type { FastifyReply, FastifyRequest } from 'fastify';

/** The reference of the API comes with styles inside its page; everything of ours keeps to the strict policy. */
const POLICY =
  "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
const POLICY_OF_DOCS = `${POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'`;

/** Headers for a page that is open all night on a wall, and for a device that counts bytes: only pages get them. */
export async function secureHeaders(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('x-content-type-options', 'nosniff');
  if (!String(reply.getHeader('content-type') ?? '').startsWith('text/html')) return;
  reply.header('content-security-policy', request.url.startsWith('/api/docs') ? POLICY_OF_DOCS : POLICY);
  reply.header('referrer-policy', 'no-referrer');
  reply.header('cross-origin-opener-policy', 'same-origin');
}
